"""A stack that no provider can reach: nobody tells, nobody fetches. We ask, and we upload."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from storyhook.aws import clients
from storyhook.aws.uploads import UploadTable
from storyhook.domain.access import ApiKey
from storyhook.domain.errors import ProviderKeyMissing
from storyhook.domain.outcome import (
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Rejected,
    Succeeded,
)
from storyhook.domain.plan_views import plan_input
from storyhook.domain.prediction import LEASE, UNKNOWN_PATIENCE, Prediction, Status
from storyhook.domain.upload import Upload, Uploaded
from tests.fixtures import events, functions, makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import SECRETS, Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.pictures import picture
from tests.fixtures.world import IMAGE_URL, World, in_threads

KEY = makers.character().references[0].key

DOWN = Failure(FailureKind.UNAVAILABLE, "The provider answered 500.")


@pytest.fixture
def live(cloud: Cloud, clock: Clock) -> World:
    world = World(cloud, clock, webhooks=False)
    world.images.put(KEY, picture(), "image/png")
    return world


def shown(world: World) -> list[str]:
    """The reference URLs that providers were given, job by job."""
    return [payload["image_urls"][0] for _, payload, _ in world.provider.submitted]


def queued(world: World, **values: Any) -> Prediction:
    row = makers.prediction(Status.QUEUED, **values)
    world.predictions.add(row)
    return row


# --- asking ---


def test_no_webhook_is_asked_for_and_the_provider_is_asked_soon(live: World) -> None:
    row = live.ask()
    [(_, _, webhook_url)] = live.provider.submitted
    assert webhook_url is None
    assert row.due_at == live.clock() + timedelta(seconds=2)


@pytest.mark.parametrize("seconds", [1, 4, 9, 30, 200])
def test_a_picture_is_here_within_seconds_of_its_end(live: World, seconds: float) -> None:
    row, began = live.ask(), live.clock()
    end = began + timedelta(seconds=seconds)
    for _ in range(200):
        if live.clock() >= end:
            live.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
        live.sweep(seconds=2)  # as the local cloud does
        if live.row(row).status is Status.SUCCEEDED:
            break
    done = live.row(row)
    assert done.completed_at is not None
    assert done.completed_at - end <= timedelta(seconds=5 + 2)
    waits = (done.completed_at - began).total_seconds()
    assert len(live.provider.fetched) <= 2 + waits / 2


def test_a_failed_copy_is_not_given_up_within_seconds(live: World) -> None:
    """The pace is for asking; a provider's file host that is away for a minute costs nothing."""
    row = live.ask()
    live.provider.outcomes["job-1"] = Succeeded(("https://v3b.fal.media/files/away.png",))
    for _ in range(30):
        live.sweep(seconds=2)
    assert live.row(row).status is Status.STORING
    live.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    live.sweep(minutes=2)
    assert live.row(row).status is Status.SUCCEEDED


def test_a_lost_answer_is_not_waited_for_when_nobody_will_tell(live: World) -> None:
    live.provider.answers = [OutcomeUnknown("the provider's answer was lost")]
    row = live.ask(makers.REPLICATE)
    live.sweep(seconds=2)
    assert live.row(row).status is Status.SUBMITTING, "its submit may still be at it"
    live.sweep(seconds=UNKNOWN_PATIENCE.total_seconds())
    after = live.row(row)
    assert after.status is Status.EXPIRED
    assert after.failure is not None
    assert "It was not sent again" in after.failure.detail
    assert len(live.provider.submitted) == 1


# --- uploading ---


def test_a_reference_is_uploaded_as_it_lies_in_our_bucket(live: World) -> None:
    live.ask()
    assert live.provider.uploaded == [(picture(), "image/png", "ref_elena_0.png")]
    assert shown(live) == ["https://files.example.com/1"]


def test_a_reference_is_uploaded_once_to_each_provider(live: World) -> None:
    for _ in range(3):
        live.ask()
    live.clock.advance(hours=5)
    live.ask()
    assert shown(live) == ["https://files.example.com/1"] * 4
    for _ in range(2):
        live.ask(makers.REPLICATE)
    assert len(live.provider.uploaded) == 2


def test_what_one_tenant_uploaded_is_not_shown_for_another(live: World) -> None:
    live.ask()
    other = makers.character(tenant="other", references=0)
    theirs = makers.reference("ref_x", key=KEY.replace("acme", "other"))
    live.images.put(theirs.key, picture(colour="red"), "image/png")
    live.characters.replace(replace(other, references=(theirs,)), None)
    live.ask(key=ApiKey("key_2", "other"))
    assert shown(live) == ["https://files.example.com/1", "https://files.example.com/2"]
    assert [data for data, _, _ in live.provider.uploaded] == [picture(), picture(colour="red")]


def test_scenes_that_race_upload_once(live: World) -> None:
    rows = [queued(live) for _ in range(6)]
    waits = in_threads(6, lambda n: live.submit.from_queue(rows[n].id, None))
    assert set(waits) <= {None, 2.0}
    assert None in waits
    for row in rows:
        if live.row(row).status is Status.QUEUED:
            assert live.submit.from_queue(row.id, None) is None
    assert {live.row(row).status for row in rows} == {Status.SUBMITTED}
    assert len(live.provider.uploaded) == 1
    assert set(shown(live)) == {"https://files.example.com/1"}


def test_an_upload_whose_function_died_is_taken_over(live: World) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    live.provider.during_upload = die
    row = queued(live)
    with pytest.raises(KeyboardInterrupt):
        live.submit.from_queue(row.id, None)
    live.provider.during_upload = None
    other = queued(live)
    assert live.submit.from_queue(other.id, None) == 2.0, "it may still be at it"
    live.clock.advance(seconds=LEASE.total_seconds())
    assert live.submit.from_queue(other.id, None) is None
    assert live.row(other).status is Status.SUBMITTED


def test_of_two_that_take_over_an_old_upload_one_does(live: World) -> None:
    uploads, now = UploadTable(live.cloud.table), live.clock()
    old = Upload("https://files.example.com/old", now)
    uploads.record("fal", KEY, old)
    claims = [uploads.claim("fal", KEY, old, now + LEASE * turn) for turn in (1, 2)]
    assert claims == [True, False]
    assert uploads.find("fal", KEY) == Upload(None, now + LEASE)


def test_a_board_of_two_characters_uploads_both_side_by_side(live: World) -> None:
    marcus = makers.character("marcus")
    live.images.put(marcus.references[0].key, picture(colour="blue"), "image/png")
    live.characters.replace(marcus, None)
    live.characters.replace(makers.character(), None)
    plan = makers.plan(cast=(makers.character(), marcus))
    assert len(plan.references) == 2
    row = queued(live, input=plan_input(plan))
    assert live.submit.from_queue(row.id, None) is None
    [(_, payload, _)] = live.provider.submitted
    by_url = {
        f"https://files.example.com/{n}": name
        for n, (_, _, name) in enumerate(live.provider.uploaded, 1)
    }
    assert [by_url[url] for url in payload["image_urls"]] == [
        "ref_elena_0.png",
        "ref_marcus_0.png",
    ]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (None, timedelta(hours=24)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(days=30), timedelta(hours=24)),
    ],
)
def test_how_long_an_upload_is_remembered(
    live: World, told: timedelta | None, kept: timedelta
) -> None:
    """A day at most, less where the provider says so."""
    began = live.clock()
    answer = Uploaded("https://files.example.com/1", began + told if told else None)
    live.provider.upload_answers = [answer]
    live.ask()
    assert UploadTable(live.cloud.table).find("fal", KEY) == Upload(answer.url, began + kept)


def test_a_file_that_dies_before_the_job_may_end_is_uploaded_again(live: World) -> None:
    soon = live.clock() + timedelta(hours=2)
    live.provider.upload_answers = [Uploaded("https://files.example.com/short", soon)]
    for row in (queued(live), queued(live, deadline_at=live.clock() + timedelta(hours=4))):
        assert live.submit.from_queue(row.id, None) is None
    assert shown(live) == ["https://files.example.com/short", "https://files.example.com/2"]


def test_a_row_that_may_wait_for_a_day_uses_what_was_uploaded(live: World) -> None:
    for _ in range(2):
        row = queued(live, deadline_at=live.clock() + timedelta(hours=25))
        assert live.submit.from_queue(row.id, None) is None
    assert len(live.provider.uploaded) == 1


def test_a_failed_upload_created_nothing_and_is_tried_again_from_the_queue(live: World) -> None:
    live.provider.upload_answers = [NotCreated(DOWN, 7.0)]
    row = live.ask()
    assert row.status is Status.QUEUED
    assert live.cloud.sent(live.cloud.submissions_url) == [{"prediction_id": row.id, "delay": 7}]
    assert live.provider.submitted == []
    assert live.submit.from_queue(row.id, None) is None
    assert live.row(row).status is Status.SUBMITTED
    assert len(live.provider.uploaded) == 2


def test_a_refused_upload_ends_the_prediction_with_its_reason(live: World) -> None:
    live.provider.upload_answers = [Rejected(Failure(FailureKind.WRONG_KEY, "fal: bad key", "401"))]
    row = live.ask()
    assert (row.status, live.provider.submitted) == (Status.FAILED, [])
    assert row.failure is not None
    assert row.failure.detail == "fal: bad key"


def test_a_refusal_outweighs_what_waiting_would_mend(live: World) -> None:
    marcus = makers.character("marcus")
    live.images.put(marcus.references[0].key, picture(colour="blue"), "image/png")
    refused = Rejected(Failure(FailureKind.WRONG_KEY, "fal: bad key", "401"))
    live.provider.upload_answers = [NotCreated(DOWN), refused]
    row = queued(live, input=plan_input(makers.plan(cast=(makers.character(), marcus))))
    assert live.submit.from_queue(row.id, None) is None
    assert live.row(row).status is Status.FAILED


def test_a_reference_that_is_gone_leaves_no_claim_behind(live: World) -> None:
    gone = makers.plan(cast=(makers.character("marcus"),))
    row = queued(live, input=plan_input(gone))
    with pytest.raises(clients.client("s3").exceptions.NoSuchKey):
        live.submit.from_queue(row.id, None)
    assert live.row(row).status is Status.QUEUED
    assert not [item for item in live.cloud.rows() if item["pk"]["S"].startswith("UP#")]


# --- signed URLs, where providers can reach us ---


@pytest.mark.parametrize(
    ("wait", "lifetime"),
    [
        # A board of 1,000 scenes: an hour in the queue, 15 s for each scene ahead, 15 min a job.
        (timedelta(hours=1, seconds=900 + 15_000), timedelta(hours=1, seconds=900 + 15_000 + 900)),
        # Sent at the last moment: the job still has its model's 900 s.
        (timedelta(seconds=901), timedelta(seconds=901 + 900)),
        (timedelta(days=8), timedelta(days=7)),
    ],
)
def test_a_signed_reference_outlives_the_longest_wait(
    world: World, wait: timedelta, lifetime: timedelta
) -> None:
    row = queued(world, deadline_at=world.clock() + wait)
    assert world.submit.from_queue(row.id, None) is None
    query = parse_qs(urlsplit(shown(world)[0]).query)
    assert query["X-Amz-Expires"] == [str(int(lifetime.total_seconds()))]


# --- keys ---


def test_a_board_of_a_provider_without_a_key_writes_nothing(live: World) -> None:
    clients.client("ssm").delete_parameter(Name=f"{SECRETS}/replicate-token")
    before = live.cloud.state()
    with pytest.raises(ProviderKeyMissing, match="REPLICATE_API_TOKEN"):
        live.board()
    assert live.cloud.state() == before


def test_a_board_is_checked_without_decrypting_the_key(live: World) -> None:
    live.board()
    [read] = live.cloud.operations("GetParameter")
    assert read == {"Name": f"{SECRETS}/replicate-token", "WithDecryption": False}
    live.board()
    assert len(live.cloud.operations("GetParameter")) == 1


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        yield stage


@pytest.mark.parametrize(
    ("secret", "variable", "event"),
    [
        ("fal-key", "FAL_KEY", "create_prediction/fal"),
        ("replicate-token", "REPLICATE_API_TOKEN", "create_prediction/replicate"),
        ("replicate-token", "REPLICATE_API_TOKEN", "api/create_storyboard"),
    ],
)
def test_who_has_no_key_is_told_which_one_to_set(
    stage: Stage, secret: str, variable: str, event: str
) -> None:
    stage.seed_all()
    clients.client("ssm").delete_parameter(Name=f"{SECRETS}/{secret}")
    before = stage.cloud.state()
    answer = stage.run(event.partition("/")[0], read(event))
    assert answer["statusCode"] == 503
    problem = json.loads(answer["body"])
    assert problem["type"] == "/problems/provider-key-missing"
    assert f"set {variable}" in problem["detail"]
    assert "make up LIVE=1" in problem["detail"]
    assert "make deploy" in problem["detail"]
    assert SECRETS not in answer["body"]
    assert stage.cloud.state() == before
    assert stage.providers.requests == []


def read(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(events.path_of(name).read_text(encoding="utf-8"))
    return event


def test_a_key_that_vanished_ends_what_is_queued_with_the_reason(stage: Stage) -> None:
    stage.seed("replicate", Status.QUEUED)
    clients.client("ssm").delete_parameter(Name=f"{SECRETS}/replicate-token")
    message = {"prediction_id": events.PREDICTIONS["replicate"]}
    assert stage.run("submit", events.queue("submissions", message)) == {"batchItemFailures": []}
    row = stage.prediction("replicate")
    assert row.status is Status.FAILED
    assert row.failure is not None
    assert row.failure.kind is FailureKind.ACCOUNT
    assert "set REPLICATE_API_TOKEN" in row.failure.detail


# --- the functions, as the template's parameter turns them ---


@pytest.mark.parametrize(
    ("provider", "paths"),
    [
        ("fal", ["/storage/auth/token", "/files/upload", "/fal-ai/flux-2-pro/edit"]),
        ("replicate", ["/v1/files", "/v1/predictions"]),
    ],
)
def test_the_functions_of_a_stack_that_nobody_can_reach(
    stage: Stage, provider: str, paths: list[str]
) -> None:
    """Handlers, wiring and the real clients; twice, and the second uploads nothing."""
    stage.webhooks = "off"
    stage.seed_all()
    stage.images.put(KEY, picture(), "image/png")
    for expected in (paths, paths[-1:]):
        stage.providers.requests.clear()
        answer = stage.run("create_prediction", read(f"create_prediction/{provider}"))
        assert answer["statusCode"] == 202, answer
        asked = stage.providers.requests
        assert [urlsplit(request.path).path for request in asked] == expected
        assert "webhook" not in asked[-1].path
        assert b"webhook" not in asked[-1].body
        assert b"https://files.example.com/1.png" in asked[-1].body
        row = stage.predictions.get(json.loads(answer["body"])["id"])
        assert row is not None
        assert row.due_at == stage.clock() + timedelta(seconds=2)
