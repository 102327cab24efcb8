"""Uploads, as the official clients make them, and jobs that nobody is told of."""

import hashlib
import io
import time

import fal_client
import httpx
import pytest
from replicate.client import Client as ReplicateClient
from replicate.exceptions import ReplicateError

from tests.integration.simulated.support import (
    TEXT,
    Receiver,
    Sim,
    fal_post,
    hashes,
    picture,
    portrait,
    rep_post,
    shown,
    text,
)

KONTEXT = "fal-ai/flux-pro/kontext"
REP_KONTEXT = "black-forest-labs/flux-kontext-pro"


def test_fal_client_uploads_and_the_model_reads_it(
    fal: Sim, fal_sdk: fal_client.SyncClient
) -> None:
    url = fal_sdk.upload(portrait(1), "image/png", file_name="my portrait.png")
    assert url.startswith(f"{fal.url}/files/")
    assert url.endswith("_my-portrait.png")
    stored = httpx.get(url)
    assert (stored.headers["content-type"], stored.content) == ("image/png", portrait(1))
    result = fal_sdk.submit(KONTEXT, {"prompt": "x", "image_url": url}).get()
    assert shown(picture(result["images"][0]["url"])) == hashes(1)
    requests = fal.http.get("/_control/summary").json()["requests"]
    assert requests["POST /storage/auth/token"] == 1
    assert requests["POST /files/upload"] == 1


def test_fal_token_serves_several_uploads(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    urls = {fal_sdk.upload(portrait(number), "image/png") for number in (1, 2)}
    assert len(urls) == 2
    assert fal.state["requests"]["POST /storage/auth/token"] == 1


def test_fal_client_falls_back_to_a_signed_url(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    fal.set(upload_error_status=500)
    url = fal_sdk.upload(portrait(1), "image/png", file_name="a.png")
    assert httpx.get(url).content == portrait(1)
    requests = fal.state["requests"]
    assert requests["POST /files/upload"] == 1
    assert requests["POST /storage/upload/initiate"] == 1
    assert requests["PUT /storage/upload"] == 1


def test_fal_upload_by_the_second_way_alone(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    url = fal_sdk.upload(portrait(1), "image/png", repository="fal", fallback_repository=[])
    assert httpx.get(url).content == portrait(1)
    assert "POST /files/upload" not in fal.state["requests"]


@pytest.mark.parametrize("path", ["/storage/auth/token", "/storage/upload/initiate"])
def test_fal_uploads_need_the_key(fal: Sim, path: str) -> None:
    body = {"file_name": "a.png", "content_type": "image/png"}
    assert fal.http.post(path, json=body).status_code == 200
    fal.http.headers["Authorization"] = "Key wrong"
    answer = fal.http.post(path, json=body)
    assert (answer.status_code, "detail" in answer.json()) == (401, True)


def test_fal_cdn_takes_tokens_only(fal: Sim) -> None:
    token = fal.http.post("/storage/auth/token?storage_type=fal-cdn-v3", json={}).json()
    assert (token["token_type"], token["base_url"]) == ("Bearer", fal.url)
    secret = token["token"]
    for given in ("Key sim-fal-key", "Bearer wrong", secret, f"Key {secret}"):
        headers = {"Authorization": given, "Content-Type": "image/png"}
        refused = fal.http.post("/files/upload", content=portrait(1), headers=headers)
        assert refused.status_code == 401
    headers = {"Authorization": f"Bearer {token['token']}", "Content-Type": "image/png"}
    assert fal.http.post("/files/upload", content=portrait(1), headers=headers).status_code == 200


def test_fal_signed_url_is_for_one_file_of_one_type(fal: Sim) -> None:
    body = {"file_name": "a.png", "content_type": "image/png"}
    promised = fal.http.post("/storage/upload/initiate", json=body).json()

    def put(media_type: str) -> int:
        return httpx.put(
            promised["upload_url"], content=portrait(1), headers={"Content-Type": media_type}
        ).status_code

    assert httpx.get(promised["file_url"]).status_code == 404
    assert put("image/jpeg") == 403
    assert put("image/png") == 200
    assert put("image/png") == 403
    assert httpx.get(promised["file_url"]).status_code == 200
    incomplete = fal.http.post("/storage/upload/initiate", json={"file_name": "a.png"})
    assert incomplete.status_code == 422


def test_fal_upload_lives_as_long_as_asked(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    lasting = fal_client.StorageSettings(expires_in="1h")
    brief = fal_client.StorageSettings(expires_in=1)
    kept = fal_sdk.upload(portrait(1), "image/png", lifecycle=lasting)
    url = fal_sdk.upload(portrait(1), "image/png", lifecycle=brief)
    assert httpx.get(url).status_code == 200
    time.sleep(1.1)
    assert httpx.get(url).status_code == 404
    assert httpx.get(kept).status_code == 200


def test_replicate_client_uploads_a_file(rep: Sim, rep_sdk: ReplicateClient) -> None:
    made = rep_sdk.files.create(
        io.BytesIO(portrait(1)), filename="a.png", content_type="image/png", metadata={"of": 1}
    )
    assert (made.name, made.content_type, made.size) == ("a.png", "image/png", len(portrait(1)))
    assert made.checksums["sha256"] == hashlib.sha256(portrait(1)).hexdigest()
    assert made.metadata == {"of": 1}
    assert made.urls["get"] == f"{rep.url}/v1/files/{made.id}"
    assert rep_sdk.files.get(made.id) == made
    other = rep_sdk.files.create(io.BytesIO(portrait(2)))
    assert [each.id for each in rep_sdk.files.list()] == [other.id, made.id]
    assert rep_sdk.files.delete(made.id)
    assert [each.id for each in rep_sdk.files.list()] == [other.id]
    with pytest.raises(ReplicateError) as caught:
        rep_sdk.files.get(made.id)
    assert caught.value.status == 404
    assert rep.state["requests"]["POST /v1/files"] == 2


def test_replicate_client_uploads_what_is_given_as_a_file(
    rep: Sim, rep_sdk: ReplicateClient
) -> None:
    given = {"prompt": "x", "input_image": io.BytesIO(portrait(1))}
    created = rep_sdk.predictions.create(version=REP_KONTEXT, input=given)
    created.wait()
    assert isinstance(created.output, str)
    assert shown(picture(created.output)) == hashes(1)
    assert rep.state["requests"]["POST /v1/files"] == 1


def test_replicate_file_is_read_with_the_token_or_by_a_model(
    rep: Sim, rep_sdk: ReplicateClient, receiver: Receiver
) -> None:
    made = rep_sdk.files.create(io.BytesIO(portrait(1)))
    assert httpx.get(made.urls["get"]).status_code == 401
    rep_sdk.files.delete(made.id)
    given = {"prompt": "x", "input_image": made.urls["get"]}
    rep_post(rep, version=REP_KONTEXT, input=given, webhook=receiver.hook("gone"))
    error = receiver.final("gone")[0].json["error"]
    assert error.startswith(f"Failed to download input file {made.urls['get']}")
    assert "404" in error


def test_replicate_uploads_need_the_token_and_a_content(rep: Sim) -> None:
    files = {"content": ("a.png", portrait(1), "image/png")}
    assert rep.http.post("/v1/files", files=files).status_code == 201
    wrong = rep.http.post("/v1/files", files={"file": ("a.png", portrait(1), "image/png")})
    assert (wrong.status_code, wrong.json()["detail"]) == (422, "- content is required\n")
    assert rep.http.post("/v1/files", json={}).status_code == 422
    spoilt = rep.http.post("/v1/files", files=files, data={"metadata": "{"})
    assert spoilt.status_code == 422
    rep.set(upload_error_status=503)
    assert rep.http.post("/v1/files", files=files).status_code == 503
    rep.http.headers["Authorization"] = "Bearer wrong"
    for method, path in (("POST", "/v1/files"), ("GET", "/v1/files"), ("DELETE", "/v1/files/x")):
        assert rep.http.request(method, path).status_code == 401


def test_reset_forgets_uploads(
    fal: Sim, fal_sdk: fal_client.SyncClient, rep: Sim, rep_sdk: ReplicateClient
) -> None:
    url = fal_sdk.upload(portrait(1), "image/png")
    made = rep_sdk.files.create(io.BytesIO(portrait(1)))
    for simulator in (fal, rep):
        simulator.http.post("/_control/reset")
    assert httpx.get(url).status_code == 404
    assert rep.http.get(f"/v1/files/{made.id}").status_code == 404
    assert rep_sdk.files.list() == []


def test_a_job_without_a_webhook_is_found_by_polling(
    fal: Sim,
    fal_sdk: fal_client.SyncClient,
    rep: Sim,
    rep_sdk: ReplicateClient,
    receiver: Receiver,
) -> None:
    assert fal_sdk.submit(TEXT, text()).get()["images"]
    created = rep_sdk.predictions.create(version=REP_KONTEXT, input={"prompt": "x"})
    created.wait()
    assert created.output
    for simulator in (fal, rep):
        simulator.settle()
        (job,) = simulator.jobs
        assert (job["status"], job["webhook_url"], job["deliveries"]) == ("succeeded", None, [])
    assert receiver.got == []


@pytest.mark.parametrize(("kept", "status"), [("gone", 404), ("kept", 200)])
def test_fal_status_may_outlive_the_result(fal: Sim, kept: str, status: int) -> None:
    fal.set(expired_status=kept, faults={"fail": 1})
    submitted = fal_post(fal, TEXT, text()).json()
    fal.settle()
    fal.set(retention_seconds=0.001)
    assert fal.http.get(submitted["response_url"]).status_code == 404
    answer = fal.http.get(submitted["status_url"])
    assert answer.status_code == status
    if kept == "kept":
        body = answer.json()
        assert (body["status"], body["error_type"]) == ("COMPLETED", "runner_disconnected")
