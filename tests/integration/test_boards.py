"""Storyboards: accepted whole or not at all, ended once, whatever got lost on the way."""

import dataclasses
import json
from typing import Any

import pytest

from storyhook.domain import plan_views
from storyhook.domain.errors import (
    NotFound,
    StoryhookError,
    TooManyReferences,
    UnknownCharacter,
    UnknownModel,
)
from storyhook.domain.outcome import Accepted, Failure, FailureKind, ProviderHandle, Rejected
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.requests import CharacterRequest, ReferenceRequest, StoryboardRequest
from storyhook.domain.story import Look
from storyhook.domain.storyboard import BoardStatus, SceneState, Storyboard
from tests.fixtures import makers
from tests.fixtures.pictures import picture
from tests.fixtures.world import CALLBACK_URL, IMAGE_URL, World, done, in_threads

FAILED = Rejected(Failure(FailureKind.INVALID_INPUT, "Replicate: no", "422"))
BLOCKED = Rejected(Failure(FailureKind.BLOCKED, "Replicate: NSFW", "NSFW"))


def submit_all(world: World, board: Storyboard) -> list[Prediction]:
    """What the workflow does: a message with a task token for each scene."""
    for n, row in enumerate(world.rows_of(board), 1):
        assert world.submit.from_queue(row.id, f"task-token-{n}") is None
    return world.rows_of(board)


def finish_all(world: World, board: Storyboard) -> None:
    for n, row in enumerate(world.rows_of(board), 1):
        if not row.status.terminal:
            world.webhook(row, done(row.provider, f"job-{n}"))


def test_a_board_is_written_whole_and_its_workflow_started(world: World) -> None:
    board = world.board()
    rows = world.rows_of(board)
    assert [row.status for row in rows] == [Status.QUEUED] * 2
    assert [row.seed for row in rows] == [7, 1007]
    assert [row.scene_id for row in rows] == ["scene-1", "scene-2"]
    [start] = world.cloud.operations("StartExecution")
    assert start["name"] == board.id
    assert json.loads(start["input"]) == {
        "storyboard_id": board.id,
        "predictions": [row.id for row in rows],
    }
    assert world.characters.get("acme", "elena") is not None


def test_all_scenes_succeed(world: World) -> None:
    board = world.board(callback_url=CALLBACK_URL)
    submit_all(world, board)
    finish_all(world, board)
    resumed = world.cloud.operations("SendTaskSuccess")
    assert [call["taskToken"] for call in resumed] == ["task-token-1", "task-token-2"]
    ended = world.assemble(board.id)
    assert ended.status is BoardStatus.SUCCEEDED
    assert ended.completed_at == world.clock()
    world.deliver_all()
    [(url, body, _)] = world.customer.got
    assert url == CALLBACK_URL
    event = json.loads(body)
    assert event["type"] == "storyboard.completed"
    assert [scene["status"] for scene in event["data"]["scenes"]] == ["succeeded"] * 2
    assert event["data"]["cost"] == {"estimated": "0.0600", "actual": "0.0600", "max": None}
    assert world.sweep(days=2) == {"predictions": 0, "storyboards": 0, "callbacks": 0, "exports": 0}


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([FAILED, Accepted(ProviderHandle("job-2"))], BoardStatus.PARTIAL),
        ([BLOCKED, Accepted(ProviderHandle("job-2"))], BoardStatus.PARTIAL),
        ([FAILED, BLOCKED], BoardStatus.FAILED),
    ],
)
def test_how_a_board_ends(world: World, answers: list[Any], status: BoardStatus) -> None:
    world.provider.answers = list(answers)
    board = world.board()
    submit_all(world, board)
    finish_all(world, board)
    assert world.assemble(board.id).status is status
    told = world.cloud.operations("SendTaskFailure")
    assert len(told) == sum(isinstance(answer, Rejected) for answer in answers)
    assert {call["error"] for call in told} <= {"Storyhook.Failed", "Storyhook.Blocked"}


def test_assembling_again_changes_nothing_but_a_harmless_message(world: World) -> None:
    board = world.board(callback_url=CALLBACK_URL)
    submit_all(world, board)
    finish_all(world, board)
    first = world.assemble(board.id)
    rows = world.cloud.rows()
    world.clock.advance(minutes=1)
    assert world.assemble(board.id) == dataclasses.replace(first, due_at=None, sequence=1)
    assert world.cloud.rows() == rows
    world.deliver_all()
    assert len(world.customer.got) == 1


def test_many_assemblies_at_once_end_it_once(world: World) -> None:
    board = world.board(callback_url=CALLBACK_URL)
    submit_all(world, board)
    finish_all(world, board)
    results = in_threads(20, lambda _: world.assemble(board.id))
    assert {result.callback_id for result in results} == {results[0].callback_id}
    world.deliver_all()
    assert len(world.customer.got) == 1


def test_a_scene_that_the_workflow_gave_up_goes_on_and_the_board_waits(world: World) -> None:
    """It may be paid: its own row decides, and the reconciler ends the board."""
    board = world.board()
    first, second = submit_all(world, board)
    world.webhook(first, done("replicate", "job-1"))
    assert world.assemble(board.id).status is BoardStatus.RUNNING
    assert world.row(second).status is Status.SUBMITTED
    world.webhook(second, done("replicate", "job-2"))
    world.sweep(minutes=3)
    ended = world.storyboards.get(board.id)
    assert ended is not None
    assert ended.status is BoardStatus.SUCCEEDED


def test_a_scene_that_ended_before_its_workflow_came_is_resumed_at_once(world: World) -> None:
    board = world.board()
    row, _ = world.rows_of(board)
    assert world.submit.from_queue(row.id, None) is None
    world.webhook(row, done("replicate", "job-1"))
    assert world.cloud.operations("SendTaskSuccess") == []
    assert world.submit.from_queue(row.id, "late-token") is None
    [call] = world.cloud.operations("SendTaskSuccess")
    assert call["taskToken"] == "late-token"
    assert len(world.provider.submitted) == 1


def test_a_board_that_was_half_written_is_cleaned_up(world: World) -> None:
    """Death before the board's own row: nothing was accepted, so nothing is paid."""
    row = makers.of_board(makers.prediction(Status.QUEUED, due_at=world.clock()), "sb_never")
    world.predictions.add(row)
    world.sweep()
    assert world.predictions.get(row.id) is None
    assert world.cloud.rows() == []
    assert world.cloud.sent(world.cloud.submissions_url) == []


def test_what_was_canceled_of_a_half_written_board_is_told_to_nobody(world: World) -> None:
    """Its rows are listed before the board stands, so they can be canceled."""
    row = makers.of_board(makers.prediction(Status.QUEUED, due_at=world.clock()), "sb_never")
    events = ("prediction.completed",)
    row = dataclasses.replace(row, callback_url=CALLBACK_URL, callback_events=events)
    world.predictions.add(row)
    world.cancel.prediction(row.tenant, row.id)
    canceled = world.row(row)
    assert (canceled.status, canceled.due_at) == (Status.CANCELED, None)
    world.sweep(minutes=5)
    assert world.customer.got == []


def test_a_workflow_that_was_not_started_is_started(world: World) -> None:
    rows = [makers.prediction(Status.QUEUED)]
    board, scenes = makers.board((rows[0],))
    rows = [makers.of_board(rows[0], board.id)]
    world.storyboards.add(board, scenes, rows)
    world.sweep(minutes=2)
    [start] = world.cloud.operations("StartExecution")
    assert start["name"] == board.id
    world.sweep(minutes=2)
    assert len(world.cloud.operations("StartExecution")) == 2, "starting twice is the same as once"


def test_a_board_whose_workflow_died_is_ended_by_the_reconciler(world: World) -> None:
    board = world.board(callback_url=CALLBACK_URL)
    submit_all(world, board)
    finish_all(world, board)
    assert world.sweep(minutes=3)["storyboards"] == 1
    ended = world.storyboards.get(board.id)
    assert ended is not None
    assert (ended.status, ended.due_at) == (BoardStatus.SUCCEEDED, None)
    world.deliver_all()
    assert len(world.customer.got) == 1


def test_a_board_reads_with_its_scenes_in_order_also_when_there_are_many(world: World) -> None:
    scenes = [makers.scene(id=f"s{n}", position=n, seed=n) for n in range(1, 121)]
    board = world.board(*scenes)
    _, states = world.read_board("acme", board.id)
    assert [state.scene.position for state in states] == list(range(1, 121))
    assert [state.predictions[0].seed for state in states] == list(range(1, 121))


def test_another_tenants_board_is_not_there(world: World) -> None:
    board = world.board()
    with pytest.raises(NotFound):
        world.read_board("somebody-else", board.id)


def _request(world: World, **values: Any) -> tuple[Storyboard, list[SceneState]]:
    given: dict[str, Any] = {
        "title": "x",
        "model": makers.REPLICATE,
        "scenes": (makers.scene(),),
        "characters": (),
        "look": Look(),
        "seed": 1,
        "callback_url": None,
        **values,
    }
    return world.create_board(makers.KEY, StoryboardRequest(**given), world.origin())


ELENA = CharacterRequest(
    "elena", "Elena", "red hair", None, "character", (ReferenceRequest(IMAGE_URL, "face", "front"),)
)


@pytest.mark.parametrize(
    ("values", "error", "path"),
    [
        ({}, UnknownCharacter, "scenes[0].characters[0]"),
        ({"model": "nope", "characters": (ELENA,)}, UnknownModel, "model"),
        (
            {"characters": (ELENA,), "scenes": (makers.scene(model="nope"),)},
            UnknownModel,
            "scenes[0].model",
        ),
        (
            {"characters": (ELENA,), "scenes": (makers.scene(options={"steps": 1}),)},
            StoryhookError,
            "scenes[0].options.steps",
        ),
        (
            {
                "characters": (
                    ELENA,
                    CharacterRequest(
                        "bad",
                        "Bad",
                        "x",
                        None,
                        "character",
                        (ReferenceRequest("https://gone.example/x.png", "face", "front"),),
                    ),
                )
            },
            StoryhookError,
            "characters[1].references[0].url",
        ),
        ({"callback_url": "ftp://x", "characters": (ELENA,)}, StoryhookError, "callback_url"),
    ],
)
def test_a_refused_board_writes_nothing(
    world: World, values: dict[str, Any], error: type[StoryhookError], path: str
) -> None:
    before = world.cloud.state()
    with pytest.raises(error) as caught:
        _request(world, **values)
    assert [e.path for e in caught.value.errors] == [path]
    assert world.cloud.state() == before


def test_characters_come_with_the_board(world: World) -> None:
    board, states = _request(world, characters=(ELENA,))
    elena = world.characters.get("acme", "elena")
    assert elena is not None
    [reference] = elena.references
    assert world.cloud.objects() == {reference.key: picture()}
    [placed] = states[0].predictions[0].input["references"]
    assert placed["reference_id"] == reference.id
    again, _ = _request(world, characters=(ELENA,))
    assert world.characters.get("acme", "elena") == elena, "nothing of her is new"
    assert again.id != board.id
    assert again.character_versions == {"elena": 1}
    other, _ = _request(world, characters=(dataclasses.replace(ELENA, description="grey hair"),))
    assert other.character_versions == {"elena": 2}
    assert len(world.cloud.objects()) == 1, "named by content"


# --- plans ---


def planned(world: World, scenes: int, **values: Any) -> dict[str, Any]:
    """The plan of a board of so many scenes with Elena, as the API shows it."""
    wanted = tuple(makers.scene(id=f"s{n}", position=n) for n in range(1, scenes + 1))
    request = StoryboardRequest("x", makers.FAL, wanted, (), Look(), 1, None, **values)
    plan = world.create_board.plan(makers.KEY, request)
    others = [fallbacks.plans for fallbacks in plan.fallbacks]
    return plan_views.board_plan(request, plan.seed, plan.plans, others, plan.warnings)


def test_a_long_plan_loses_its_fallbacks_before_its_own_words(world: World) -> None:
    world.characters.replace(makers.character(), None)
    whole = planned(world, 20, fallback_models=(makers.REPLICATE,))
    size = len(json.dumps(whole))
    assert plan_views.fitting(whole, size) == whole
    seen = []
    for share in (0.9, 0.6, 0.5, 0.1):
        shown = plan_views.fitting(whole, int(size * share))
        assert len(json.dumps(shown)) <= size * share
        assert [text for text in shown["warnings"] if "too long" in text] != []
        scene = shown["scenes"][0]
        [fallback] = scene.get("fallbacks", [{}])
        seen.append(("payload" in fallback, "prompt" in fallback, "payload" in scene))
        assert ("prompt" in scene and "references" in scene) == (share > 0.1)
    assert seen[0] == (False, True, True)
    assert seen[-2][1] is False
    assert seen[-1] == (False, False, False)


def test_a_board_that_no_function_could_hold_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storyhook.usecases.fallback.MAX_REFERENCES_ON_STAGE", 20)
    world.characters.replace(makers.character(references=5), None)
    assert len(planned(world, 4)["scenes"]) == 4
    for values in ({"scenes": 5}, {"scenes": 3, "fallback_models": (makers.REPLICATE,)}):
        with pytest.raises(TooManyReferences, match="20 are allowed") as caught:
            planned(world, **values)
        assert [error.path for error in caught.value.errors] == ["scenes"]
