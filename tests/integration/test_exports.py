"""Exports from the request to the file: found again, made once, sent again, failed for good."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from storyhook import exports
from storyhook.aws import clients
from storyhook.domain.export import MAX_ATTEMPTS, ExportStatus, Format
from storyhook.usecases.make_export import CHANGED, GIVEN_UP
from tests.fixtures import events, functions
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import BUCKET, Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Gateway

HERE = f"/storyboards/{events.BOARD_THAT_ENDED}/exports"
EVERY_MINUTE = events.read("reconcile/every_minute")


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_caller()
        stage.seed_export()
        yield stage


def ask(stage: Stage, **body: Any) -> Any:
    return Gateway(stage).request("POST", HERE, body)


def make(stage: Stage, export_id: str) -> Any:
    return stage.run("export", events.queue("exports", {"export_id": export_id}))


def shown(stage: Stage, export_id: str) -> Any:
    return Gateway(stage).request("GET", f"{HERE}/{export_id}").json


def status(stage: Stage, export_id: str) -> ExportStatus:
    found = stage.exports.get(export_id)
    assert found is not None
    return found.status


def file_of(stage: Stage, export: Any) -> bytes:
    """What a reader gets by its URL, which is presigned for just this object."""
    key = f"exports/acme/{events.BOARD_THAT_ENDED}/{export['id']}."
    [(name, data)] = [(n, d) for n, d in stage.cloud.objects().items() if n.startswith(key)]
    assert f"/{name}?" in export["file"]["url"]
    assert "X-Amz-Signature=" in export["file"]["url"]
    return data


@pytest.mark.parametrize("form", list(Format))
def test_each_format_is_asked_for_made_and_handed_out(stage: Stage, form: Format) -> None:
    asked = ask(stage, format=form.value)
    assert (asked.status, asked.json["status"], asked.json["file"]) == (202, "queued", None)
    assert asked.headers["location"] == asked.json["urls"]["self"] == f"{HERE}/{asked.json['id']}"
    assert stage.cloud.sent(stage.cloud.exports_url) == [
        {"export_id": asked.json["id"], "delay": 0}
    ]
    assert make(stage, asked.json["id"]) == {"batchItemFailures": []}
    done = shown(stage, asked.json["id"])
    assert (done["status"], done["error"]) == ("succeeded", None)
    data = file_of(stage, done)
    assert done["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert done["file"]["bytes"] == len(data)
    stored = clients.client("s3").get_object(
        Bucket=BUCKET, Key=f"exports/acme/{events.BOARD_THAT_ENDED}/{done['id']}.{form.extension}"
    )
    assert stored["ContentType"] == done["file"]["content_type"] == form.content_type
    name = f"the-ancient-map.{form.extension}"
    assert stored["ContentDisposition"] == f'attachment; filename="{name}"'


def test_what_is_there_is_answered_at_once_and_not_made_again(stage: Stage) -> None:
    made = ask(stage, format="csv").json
    again = ask(stage, format="csv")
    assert (again.status, again.json["id"]) == (202, made["id"]), "it is being made"
    make(stage, made["id"])
    state = stage.cloud.state()
    there = ask(stage, format="csv")
    assert (there.status, there.json["id"]) == (200, made["id"])
    assert "location" not in there.headers
    assert there.json["file"]["sha256"] == hashlib.sha256(file_of(stage, there.json)).hexdigest()
    make(stage, made["id"])
    assert stage.cloud.state() == state, "nothing was written or sent"


def test_another_option_is_another_file_and_an_option_of_no_effect_is_not(stage: Stage) -> None:
    ids = [
        ask(stage, format="pdf").json["id"],
        ask(stage, format="pdf", page="a4").json["id"],
        ask(stage, format="pdf", page="letter").json["id"],
        ask(stage, format="epub").json["id"],
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    wrong = ask(stage, format="csv", page="a4")
    assert (wrong.status, wrong.json["type"]) == (422, "/problems/invalid-request")
    assert "csv takes no options" in wrong.json["errors"][0]["message"]


def change(stage: Stage, caption: str = "They meet again.") -> None:
    """Somebody gives the first scene another caption."""
    clients.client("dynamodb").update_item(
        TableName=stage.cloud.table.name,
        Key={"pk": {"S": f"SB#{events.BOARD_THAT_ENDED}"}, "sk": {"S": "SCENE#0001"}},
        UpdateExpression="SET caption = :caption",
        ExpressionAttributeValues={":caption": {"S": caption}},
    )


def test_a_board_that_has_changed_makes_another_file(stage: Stage) -> None:
    before = ask(stage, format="csv").json["id"]
    make(stage, before)
    change(stage)
    after = ask(stage, format="csv")
    assert after.status == 202
    assert after.json["id"] != before
    make(stage, after.json["id"])
    assert b"They meet again." in file_of(stage, shown(stage, after.json["id"]))
    assert b"They meet again." not in file_of(stage, shown(stage, before)), "it is kept"


def test_a_file_is_never_of_another_board_than_its_id_says(stage: Stage) -> None:
    asked = ask(stage, format="csv").json["id"]
    change(stage)
    make(stage, asked)
    failed = shown(stage, asked)
    assert (failed["status"], failed["file"], failed["error"]["detail"]) == (
        "failed",
        None,
        CHANGED,
    )
    assert failed["error"]["type"] == "/problems/export-failed"


def test_a_running_board_is_not_exported(stage: Stage) -> None:
    stage.seed_all()
    refused = Gateway(stage).request(
        "POST", f"/storyboards/{events.BOARD}/exports", {"format": "zip"}
    )
    assert (refused.status, refused.json["type"]) == (409, "/problems/storyboard-running")


def breaks(*_: object) -> None:
    raise ConnectionError("S3 is away")


def test_what_fails_is_tried_again_and_given_up_in_the_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(stage, format="csv").json["id"]
    monkeypatch.setattr(exports, "render", breaks)
    functions.forget()
    failures = {"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975790001"}]}
    for _ in range(MAX_ATTEMPTS):
        assert make(stage, asked) == failures
        assert status(stage, asked) is ExportStatus.QUEUED
        begun = len(stage.cloud.sent(stage.cloud.exports_url))
        stage.clock.advance(minutes=1)
        stage.run("reconcile", EVERY_MINUTE)
        sent = [m["export_id"] for m in stage.cloud.sent(stage.cloud.exports_url)[begun:]]
        assert asked in sent
    make(stage, asked)
    assert shown(stage, asked)["error"]["detail"] == GIVEN_UP
    monkeypatch.undo()
    functions.forget()


def test_a_failed_one_is_made_when_it_is_asked_for_again(stage: Stage) -> None:
    asked = ask(stage, format="csv").json["id"]
    change(stage)
    make(stage, asked)
    change(stage, "")
    again = ask(stage, format="csv")
    assert (again.status, again.json["id"], again.json["error"]) == (202, asked, None)
    make(stage, asked)
    assert shown(stage, asked)["status"] == "succeeded"


def test_whose_worker_died_is_sent_again_when_its_time_is_up(stage: Stage) -> None:
    asked = ask(stage, format="csv").json["id"]
    row = stage.exports.get(asked)
    assert row is not None
    assert stage.exports.begin(row, stage.clock() + timedelta(minutes=11))
    make(stage, asked)
    assert status(stage, asked) is ExportStatus.RUNNING, "somebody else is at it"
    stage.clock.advance(minutes=12)
    begun = len(stage.cloud.sent(stage.cloud.exports_url))
    for _ in range(2):  # The second finds it sent.
        stage.run("reconcile", EVERY_MINUTE)
    sent = [m["export_id"] for m in stage.cloud.sent(stage.cloud.exports_url)[begun:]]
    assert sent.count(asked) == 1
    make(stage, asked)
    assert status(stage, asked) is ExportStatus.SUCCEEDED


def test_of_two_workers_only_the_last_to_begin_ends_it(stage: Stage) -> None:
    asked = ask(stage, format="csv").json["id"]
    row = stage.exports.get(asked)
    assert row is not None
    slow = stage.exports.begin(row, stage.clock() + timedelta(minutes=11))
    assert slow is not None
    assert stage.exports.begin(row, stage.clock() + timedelta(minutes=11)) is None
    stage.clock.advance(minutes=12)
    other = stage.exports.begin(slow, stage.clock() + timedelta(minutes=11))
    assert other is not None
    assert other.attempts == 2
    ended = replace(slow, status=ExportStatus.FAILED, due_at=None)
    assert not stage.exports.finish(slow, ended), "it was taken over"
    assert not stage.exports.release(slow, stage.clock())
    assert status(stage, asked) is ExportStatus.RUNNING
    assert stage.exports.finish(other, replace(ended, status=ExportStatus.SUCCEEDED))


def test_a_file_that_is_gone_is_not_shown_and_is_made_again(stage: Stage) -> None:
    asked = ask(stage, format="csv").json["id"]
    make(stage, asked)
    stage.clock.advance(days=29, minutes=1)
    missing = Gateway(stage).request("GET", f"{HERE}/{asked}")
    assert missing.status == 404
    assert Gateway(stage).request("GET", HERE).json["items"] == []
    again = ask(stage, format="csv")
    assert (again.status, again.json["id"]) == (202, asked)
    assert make(stage, asked) == {"batchItemFailures": []}
    assert shown(stage, asked)["status"] == "succeeded"


def test_a_reader_waits_for_its_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ask(stage, format="csv").json["id"]
    began = stage.clock()
    waited = Gateway(stage).request("GET", f"{HERE}/{asked}", query={"wait": "5"})
    assert waited.json["status"] == "queued"
    assert stage.clock() - began == timedelta(seconds=5)
    make(stage, asked)
    began = stage.clock()
    done = Gateway(stage).request("GET", f"{HERE}/{asked}", query={"wait": "5"})
    assert (done.json["status"], stage.clock()) == ("succeeded", began)
    known = Gateway(stage).request(
        "GET", f"{HERE}/{asked}", headers={"if-none-match": done.headers["etag"]}
    )
    assert known.status == 304


def test_the_zip_says_how_each_picture_was_made(stage: Stage) -> None:
    asked = ask(stage, format="zip").json["id"]
    make(stage, asked)
    with zipfile.ZipFile(io.BytesIO(file_of(stage, shown(stage, asked)))) as file:
        assert file.testzip() is None
        manifest = json.loads(file.read("manifest.json"))
        data = file.read("pictures/0001.png")
        names = file.namelist()
    assert names == ["pictures/0001.png", "manifest.json", "shots.csv"]
    first, second = manifest["scenes"]
    assert first["file"]["sha256"] == hashlib.sha256(data).hexdigest()
    picture = first["picture"]
    [original] = [d for n, d in stage.cloud.objects().items() if n.startswith("images/")]
    assert picture["sha256"] == hashlib.sha256(original).hexdigest()
    assert (picture["provider_id"], picture["seed"], picture["cost"]["actual"]) == (
        "at-fal",
        7,
        "0.0450",
    )
    assert [(r["character"], r["role"]) for r in picture["references"]] == [("elena", "face")]
    assert (second["picture"], second["file"]) == (None, None)
    assert "content_policy_violation" in second["missing"]
    assert "acme" not in json.dumps(manifest), "where we keep it is nobody's business"
    with Image.open(io.BytesIO(data)) as shown_picture, Image.open(io.BytesIO(original)) as made:
        record = json.loads(shown_picture.info["storyhook"])
        assert shown_picture.tobytes() == made.tobytes()
    assert (record["prediction_id"], record["prompt"]) == (
        picture["prediction_id"],
        picture["prompt"],
    )
