"""No secret, token or presigned URL in any line that a function logs, whatever goes wrong."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from local.cloud import LocalCloud
from local.cloud.steps import SIMULATORS_KEYS, STAGE
from tests.e2e.support import Caller, Customer, Simulator, until

GROUP = f"/storyhook/{STAGE}"
IN_QUERY, IN_USERINFO = "s3cr3t-of-a-query", "s3cr3t-of-userinfo"
# Whoever holds one of these may read or do something.
SHAPES = (
    re.compile(r"whsec_\w"),
    re.compile(r"sh[kr]_\w"),
    re.compile(r"X-Amz-(Signature|Credential|Security-Token)"),
    re.compile(r"v1,[A-Za-z0-9+/]{20}"),  # a signature of Standard Webhooks
)


@dataclass(frozen=True)
class Leak:
    what: str
    line: str


def leaks(lines: list[str], secrets: dict[str, str]) -> list[Leak]:
    found = [Leak(what, line) for line in lines for what, text in secrets.items() if text in line]
    return found + [Leak(s.pattern, line) for line in lines for s in SHAPES if s.search(line)]


def lines(cloud: LocalCloud) -> list[str]:
    """Every line of every function."""
    pages = cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    return [event["message"] for page in pages for event in page["events"]]


def secrets(cloud: LocalCloud) -> dict[str, str]:
    ssm, dynamodb = cloud.client("ssm"), cloud.client("dynamodb")
    found = {f"the key of {name}": value for name, value in SIMULATORS_KEYS.items()}
    found |= {"the API key": cloud.api_key, "the callback secret": cloud.callback_secret}
    for name in ("signing-key", "replicate-webhook-secret"):
        answer = ssm.get_parameter(Name=f"{GROUP}/{name}", WithDecryption=True)
        found[name] = answer["Parameter"]["Value"]
    pages = dynamodb.get_paginator("scan").paginate(TableName=cloud.outputs["TableName"])
    for item in (item for page in pages for item in page["Items"]):
        for name in ("token", "task_token"):
            if name in item:
                found[f"{name} of {item['pk']['S']}"] = item[name]["S"]
    return {**found, "a URL's query": IN_QUERY, "a URL's userinfo": IN_USERINFO}


@pytest.fixture(scope="module", autouse=True)
def _faults(fal: Simulator) -> Iterator[None]:
    fal.configure(rules=[{"match_prompt": "[moderation]", "fault": "moderation"}])
    yield
    fal.configure(rules=[])


@pytest.mark.usefixtures("cast")
def test_no_line_holds_a_secret(
    cloud: LocalCloud, caller: Caller, customer: Customer, replicate: Simulator
) -> None:
    """A board, a refusal of each kind, forgeries, callbacks that fail: then all that was said."""
    told = customer.url(f"/told?token={IN_QUERY}")
    texts = ["Elena opens a letter", "[moderation] Elena burns it"]
    scenes = [{"description": text, "characters": ["elena"]} for text in texts]
    events = ["scene.completed", "storyboard.completed"]
    board = caller.post(
        "/storyboards",
        {"model": "flux-2-pro", "scenes": scenes, "callback_url": told, "callback_events": events},
    ).json()
    caller.finished(f"/storyboards/{board['id']}")

    broken, gone = (f"/{name}?token={IN_QUERY}" for name in ("broken", "gone"))
    customer.answers |= {broken: [500], gone: [410]}
    closed = f"http://127.0.0.1:9/closed?token={IN_QUERY}"
    for url in (customer.url(broken), customer.url(gone), closed):
        made = _picture(caller, url)
        until(partial(_tried, caller, made), bool, 30, f"a try at {url}")
    for url in (
        f"http://user:{IN_USERINFO}@127.0.0.1:9/hook",
        f"https://no-such-host.invalid/hook?token={IN_QUERY}",
    ):
        body = {"model": "rep-flux2-pro", "prompt": "Elena sings", "callback_url": url}
        caller.post("/predictions", body)
        reference = [{"url": url, "role": "face", "angle": "front"}]
        person = {"id": "ada", "name": "Ada", "description": "x", "references": reference}
        assert caller.post("/characters", person).is_error

    for row in _rows(cloud):
        for provider in ("fal", "replicate"):
            forged = f"{cloud.api_url}/webhooks/{provider}/{row['id']['S']}.{row['token']['S']}"
            headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time()))}
            answer = httpx.post(forged, json={}, headers={**headers, "webhook-signature": "v1,x"})
            assert answer.status_code in (401, 404)
    httpx.get(f"{cloud.api_url}/models", headers={"authorization": "Bearer shk_a-wrong-key"})
    _looked_at_by_link(cloud, caller, board["id"])

    said = lines(cloud)
    for what in ("accepted", "submitted", "settled", "assembled", "callback attempted", "refused"):
        assert any(f'"message":"{what}"' in line for line in said), what
    assert leaks(said, secrets(cloud)) == []


def test_a_planted_secret_is_seen(cloud: LocalCloud) -> None:
    """The grep reads what functions write, and knows every kind."""
    logs = cloud.client("logs")
    logs.create_log_stream(logGroupName=GROUP, logStreamName="planted")
    known = secrets(cloud)
    planted = [*known.values(), "https://b.s3.amazonaws.com/k?X-Amz-Signature=0"]
    now = int(time.time() * 1000)
    batch: Any = [{"timestamp": now, "message": f"said {text}"} for text in planted]
    try:
        logs.put_log_events(logGroupName=GROUP, logStreamName="planted", logEvents=batch)
        seen = {leak.what for leak in leaks(lines(cloud), known)}
    finally:
        logs.delete_log_stream(logGroupName=GROUP, logStreamName="planted")
    assert seen >= {*known, "X-Amz-(Signature|Credential|Security-Token)"}


def _looked_at_by_link(cloud: LocalCloud, caller: Caller, board_id: str) -> None:
    """What a board's page asks for, and what its link may not."""
    here = f"/storyboards/{board_id}"
    share = caller.post(f"{here}/share", {}).json()
    assert httpx.get(share["url"]).status_code == 200
    link = {"authorization": f"Bearer {share['secret']}"}
    for path, status in ((here, 200), (f"{here}/events", 200), ("/models", 403)):
        answer = httpx.get(f"{cloud.api_url}{path}", headers=link)
        assert answer.status_code == status, path
    assert caller.get(f"{here}/shares").json()["items"][0]["id"] == share["id"]
    unknown = {"authorization": "Bearer shr_of-nobody-0123456789"}
    assert httpx.get(f"{cloud.api_url}{here}", headers=unknown).status_code == 403


def _picture(caller: Caller, callback_url: str) -> str:
    body = {"model": "rep-flux2-pro", "prompt": "Elena reads", "callback_url": callback_url}
    answer = caller.post("/predictions", body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _tried(caller: Caller, prediction_id: str) -> bool:
    rows = caller.get("/callbacks", params={"subject": prediction_id}).json()["items"]
    return any(row["attempts"] or row["status"] == "failed" for row in rows)


def _rows(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Some predictions' rows."""
    pages = cloud.client("dynamodb").get_paginator("scan")
    items = [i for p in pages.paginate(TableName=cloud.outputs["TableName"]) for i in p["Items"]]
    return [item for item in items if "token" in item][:4]
