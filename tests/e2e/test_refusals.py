"""Bad input: a clear problem+json, nothing written, nothing paid."""

from typing import Any

import httpx
import pytest

from local.cloud import LocalCloud
from tests.e2e.support import Caller, Customer, Simulator

pytestmark = pytest.mark.usefixtures("cast")

SCENE = {"description": "Elena waits", "characters": ["elena"]}
BOARD = {"model": "flux-2-pro", "scenes": [SCENE]}
PREDICTION = {"model": "flux-2-pro", "prompt": "Elena waits", "characters": ["elena"]}
MANY = [{"url": "https://example.com/a.png"}] * 17

# path, body, status, slug, path of the field
REFUSALS: list[tuple[str, Any, int, str, str | None]] = [
    ("/predictions", {**PREDICTION, "model": "sketch-o-mat"}, 422, "unknown-model", None),
    ("/predictions", {**PREDICTION, "characters": ["nobody"]}, 422, "unknown-character",
     "characters[0]"),
    ("/predictions", {**PREDICTION, "seed": "twelve"}, 422, "invalid-request", "seed"),
    ("/predictions", {**PREDICTION, "sead": 12}, 422, "invalid-request", "sead"),
    ("/predictions", {**PREDICTION, "options": {"safety_tolerance": "9"}}, 422, "invalid-option",
     None),
    ("/predictions", {**PREDICTION, "aspect_ratio": "7:5"}, 422, "invalid-option", None),
    ("/predictions", {**PREDICTION, "callback_url": "http://example.com/x"}, 422,
     "invalid-callback-url", "callback_url"),
    ("/predictions", {**PREDICTION, "callback_url": "https://169.254.169.254/x"}, 422,
     "invalid-callback-url", "callback_url"),
    ("/predictions", {"model": "flux-2-pro"}, 422, "invalid-request", "prompt"),
    ("/predictions", [], 422, "invalid-request", ""),
    ("/storyboards", {**BOARD, "scenes": []}, 422, "invalid-request", "scenes"),
    ("/storyboards", {**BOARD, "scenes": "none"}, 422, "invalid-request", "scenes"),
    ("/storyboards", {**BOARD, "model": "sketch-o-mat"}, 422, "unknown-model", None),
    ("/storyboards", {**BOARD, "scenes": [SCENE, {**SCENE, "characters": ["elena", "nobody"]}]},
     422, "unknown-character", "scenes[1].characters[1]"),
    ("/storyboards", {**BOARD, "scenes": [SCENE, {**SCENE, "model": "sketch-o-mat"}]}, 422,
     "unknown-model", "scenes[1].model"),
    ("/storyboards", {**BOARD, "callback_url": "ftp://example.com"}, 422, "invalid-callback-url",
     "callback_url"),
    ("/storyboards", {**BOARD, "scenes": [{**SCENE, "id": "a"}, {**SCENE, "id": "a"}]}, 422,
     "invalid-request", "scenes"),
    ("/characters", {"id": "x", "name": "X", "description": "x", "references": MANY}, 422,
     "too-many-references", "references"),
    ("/storyboards?dry_run=yes", BOARD, 422, "invalid-request", "dry_run"),
    ("/characters", {"id": "no spaces", "name": "X", "description": "x"}, 422,
     "invalid-request", "id"),
    ("/characters", {"id": "x", "name": "X", "description": "x",
                     "reference_image_url": "http://10.0.0.1/x.png"}, 422, "bad-reference",
     "references[0].url"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "slug", "field"), REFUSALS)
def test_bad_input_is_refused_and_costs_nothing(
    path: str,
    body: Any,
    status: int,
    slug: str,
    field: str | None,
    cloud: LocalCloud,
    caller: Caller,
    fal: Simulator,
) -> None:
    before = (_rows(cloud), fal.count())

    answer = caller.post(path, body)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "…"))
    if field is not None:
        assert field in [error["path"] for error in problem["errors"]]
    assert (_rows(cloud), fal.count()) == before


def test_a_body_that_is_no_json(caller: Caller) -> None:
    for path in ("/predictions", "/storyboards", "/characters"):
        answer = caller.http.post(caller.cloud.api_url + path, content=b"{not json")
        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/not-json"


def test_a_body_that_is_too_large(caller: Caller) -> None:
    answer = caller.post("/storyboards", {**BOARD, "title": "x" * 300_000})
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/payload-too-large"


def test_a_reference_that_is_no_picture(caller: Caller, customer: Customer) -> None:
    """JSON is no picture; a closed port answers nothing now, but may later."""
    for url, status, slug in (
        (f"{caller.cloud.fal_url}/_control/health", 422, "bad-reference"),
        ("http://127.0.0.1:1/x.png", 503, "download-failed"),
    ):
        answer = caller.post(
            "/characters",
            {"id": "x", "name": "X", "description": "x", "reference_image_url": url},
        )
        assert answer.status_code == status, answer.text
        assert answer.json()["type"] == f"/problems/{slug}"
    assert caller.get("/characters/x").status_code == 404


def test_without_a_key_nobody_gets_in(cloud: LocalCloud) -> None:
    for headers in ({}, {"authorization": "Bearer shk_" + "x" * 43}, {"authorization": "Basic a"}):
        for method, path in (("GET", "/models"), ("POST", "/predictions"), ("GET", "/nowhere")):
            answer = httpx.request(method, cloud.api_url + path, headers=headers)
            assert answer.status_code in (401, 403), (path, answer.text)


def test_what_is_not_there(caller: Caller) -> None:
    for path in (
        "/predictions/pred_01J00000000000000000000000",
        "/storyboards/sb_nothing",
        "/characters/nobody",
        "/nowhere",
    ):
        answer = caller.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/not-found"


def _rows(cloud: LocalCloud) -> int:
    """Characters, boards and predictions; due times of others may move meanwhile."""
    pages = (
        cloud.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=cloud.outputs["TableName"], ConsistentRead=True)
    )
    return sum(len(page["Items"]) for page in pages)
