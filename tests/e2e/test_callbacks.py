"""Callbacks of a board: its scenes in sequence, a failure that is replayed, a rotated secret."""

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from tests.e2e.support import Caller, Customer, Json, Simulator, until

pytestmark = pytest.mark.usefixtures("cast")

EVENTS = ["scene.completed", "storyboard.completed"]


@pytest.fixture(scope="module", autouse=True)
def _faults(fal: Simulator) -> Iterator[None]:
    fal.configure(rules=[{"match_prompt": "[moderation]", "fault": "moderation"}])
    yield
    fal.configure(rules=[])


@pytest.fixture(scope="module", autouse=True)
def rotated(caller: Caller, secret: str) -> Json:
    """Done first: the old secret goes on verifying in the other tests."""
    before = caller.get("/callback-secret").json()
    assert before == {"secret": secret, "version": 1, "previous_expires_at": None}
    shown: Json = caller.post("/callback-secret/rotate", None).json()
    assert (shown["version"], shown["secret"] != secret) == (2, True)
    return shown


def board(caller: Caller, url: str, *descriptions: str) -> Json:
    scenes = [{"description": text, "characters": ["elena"]} for text in descriptions]
    body = {"model": "flux-2-pro", "callback_url": url, "callback_events": EVENTS, "scenes": scenes}
    answer = caller.post("/storyboards", body)
    assert answer.status_code == 202, answer.text
    accepted: Json = answer.json()
    return accepted


def log(caller: Caller, subject: str, **query: str) -> list[Json]:
    answer = caller.get("/callbacks", params={"subject": subject, **query})
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


def test_scenes_are_told_of_in_sequence_and_the_board_last(
    caller: Caller, customer: Customer, secret: str
) -> None:
    texts = [f"Elena crosses bridge {n}" for n in range(5)]
    accepted = board(caller, customer.url("/scenes"), *texts, "[moderation] Elena falls")
    # The first board of a new cloud: every function starts, several times over.
    received = customer.wait_for("/scenes", 7, seconds=120)
    events = [Webhook(secret).verify(each.body, each.headers) for each in received]
    events.sort(key=lambda event: int(event["sequence"]))
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert [event["type"] for event in events] == ["scene.completed"] * 6 + ["storyboard.completed"]
    assert {event["data"]["storyboard_id"] for event in events} == {accepted["id"]}
    told = {event["data"]["id"]: event["data"]["status"] for event in events[:-1]}
    assert told == {**{f"scene-{n}": "succeeded" for n in range(1, 6)}, "scene-6": "blocked"}
    assert events[-1]["data"]["status"] == "partial"
    shown = until(
        lambda: log(caller, accepted["id"], status="delivered"),
        lambda rows: len(rows) == 7,
        20,
        "the log",
    )
    assert {row["attempts"][0]["status_code"] for row in shown} == {204}
    assert {row["address"]["status"] for row in shown} == {"active"}


def failed(caller: Caller, url: str) -> Json:
    """The callback of one more prediction, once it has failed for good."""
    body = {"model": "flux-2-pro", "prompt": "Elena closes a door", "callback_url": url}
    accepted = caller.post("/predictions", body).json()
    [row] = until(
        lambda: log(caller, accepted["id"], status="failed"), bool, 60, "a failed callback"
    )
    return row


def test_what_failed_for_good_is_replayed(caller: Caller, customer: Customer, secret: str) -> None:
    customer.answers["/gone"] = [410]
    gone, unsent = (failed(caller, customer.url("/gone")) for _ in range(2))
    assert [each["status_code"] for each in gone["attempts"]] == [410]
    assert unsent["attempts"] == []
    for row in (gone, unsent):
        assert row["address"]["status"] == "disabled"
        assert "because it answered 410 Gone" in row["error"]
    assert len(customer.at("/gone")) == 1

    answer = caller.post(unsent["urls"]["replay"], None)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    _, second = customer.wait_for("/gone", 2)
    event = Webhook(secret).verify(second.body, second.headers)
    assert second.headers["webhook-id"] == unsent["id"]
    replayed = until(
        lambda: caller.get(unsent["urls"]["self"]).json(),
        lambda row: row["status"] == "delivered",
        20,
        "the replayed callback",
    )
    assert replayed["payload"] == event
    assert replayed["address"]["status"] == "active", "a success enables it"

    assert caller.post(gone["urls"]["replay"], None).status_code == 202
    third = customer.wait_for("/gone", 3)[-1]
    assert third.headers["webhook-id"] == gone["id"]


def test_both_secrets_verify_while_one_replaces_the_other(
    caller: Caller, customer: Customer, secret: str, rotated: Json
) -> None:
    assert caller.get("/callback-secret").json() == rotated
    assert caller.post("/callback-secret/rotate", None).status_code == 409

    def sent() -> tuple[str, int]:
        """The signatures of a new callback; the function looks for a rotation once a minute."""
        path = f"/rotated/{len(customer.received)}"
        body = {"model": "flux-2-pro", "prompt": "Elena", "callback_url": customer.url(path)}
        assert caller.post("/predictions", body).status_code == 202
        customer.wait_for(path)
        return path, len(customer.at(path)[0].headers["webhook-signature"].split(" "))

    path, _ = until(sent, lambda found: found[1] == 2, 90, "two signatures")
    [received] = customer.at(path)
    for each in (secret, rotated["secret"]):
        assert Webhook(each).verify(received.body, received.headers)["sequence"] == 1
