"""Several pictures for a scene, one of them chosen: by checks, in order, or by the caller."""

import json
from decimal import Decimal
from typing import Any

import pytest

from storyhook.domain.errors import NotFound, NotSelectable, SceneLocked
from storyhook.domain.outcome import Accepted, Failure, FailureKind, ProviderHandle, Rejected
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardStatus, Choice, ChosenBy, SceneState, Storyboard
from tests.fixtures import makers
from tests.fixtures.pictures import drawing, picture
from tests.fixtures.world import CALLBACK_URL, World, done

GONE = Rejected(Failure(FailureKind.INVALID_INPUT, "Replicate: no", "422"))


def started(world: World, count: int = 3, **asked: Any) -> tuple[Storyboard, list[Prediction]]:
    """A board of one scene, with all its candidates at the provider."""
    board = world.board(makers.scene(), candidates=count, **asked)
    rows = world.rows_of(board)
    for number, row in enumerate(rows, 1):
        world.submit.from_queue(row.id, f"token-{number}")
    return board, world.rows_of(board)


def drawn(world: World, row: Prediction, number: int, data: bytes) -> None:
    """The provider hands over this picture."""
    url = f"https://replicate.delivery/xezq/{number}/out.png"
    world.pictures.files[url] = data
    world.webhook(row, done(row.provider, f"job-{number}", url))


def scene_of(world: World, board: Storyboard) -> SceneState:
    [state] = world.read_board.states(board.id)
    return state


def test_each_candidate_is_a_prediction_with_the_next_seed(world: World) -> None:
    two = makers.scene(id="scene-2", position=2, candidates=1)
    board = world.board(makers.scene(), two, candidates=3)
    rows = world.rows_of(board)
    assert [(row.scene_id, row.candidate, row.seed) for row in rows] == [
        ("scene-1", 1, 7),
        ("scene-1", 2, 8),
        ("scene-1", 3, 9),
        ("scene-2", 1, 1007),
    ]
    assert [row.input["payload"]["seed"] for row in rows] == [7, 8, 9, 1007]
    assert [row.input["seed"] for row in rows] == [7, 8, 9, 1007]
    assert board.cost_estimated == Decimal("0.0300") * 4
    [start] = world.cloud.operations("StartExecution")
    assert json.loads(start["input"]) == {
        "storyboard_id": board.id,
        "scenes": [
            {"position": 1, "predictions": [row.id for row in rows[:3]], "chooses": True},
            {"position": 2, "predictions": [rows[3].id], "chooses": False},
        ],
    }


def test_the_best_is_chosen_and_its_reasons_are_kept(world: World) -> None:
    board, rows = started(world, callback_url=CALLBACK_URL, callback_events=("scene.completed",))
    for number, data in enumerate((picture(320, 180), drawing(1), drawing(2)), 1):
        drawn(world, rows[number - 1], number, data)
    before = scene_of(world, board)
    assert (before.status, before.chosen, before.over) == ("running", None, False)
    world.clock.advance(seconds=3)
    world.choose(board.id, 1)
    after = scene_of(world, board)
    assert after.chosen == world.row(rows[1])
    assert after.over
    assert after.completed_at == world.clock()
    assert after.scene.choice is not None
    assert after.scene.choice.by is ChosenBy.CHECKS
    assert after.scene.checks == {rows[0].id: ["blank"], rows[1].id: [], rows[2].id: []}
    world.deliver_all()
    [event] = world.customer.events
    assert (event["type"], event["data"]["chosen"]) == ("scene.completed", rows[1].id)
    assert event["data"]["choice"]["reasons"][1] == "Candidate 1 is not taken: it is blank."
    ended = world.assemble(board.id)
    assert ended.status is BoardStatus.SUCCEEDED
    assert event["data"]["cost"] == {"estimated": "0.0900", "actual": "0.0900"}


def test_choosing_again_changes_nothing(world: World) -> None:
    board, rows = started(world, 2)
    for number, row in enumerate(rows, 1):
        drawn(world, row, number, drawing(number))
    world.choose(board.id, 1)
    first = scene_of(world, board)
    world.clock.advance(seconds=9)
    world.choose(board.id, 1)
    assert scene_of(world, board) == first


def test_whoever_died_after_choosing_is_made_up_for_by_the_next_try(world: World) -> None:
    """The choice is written, and nobody was told: the workflow's next try tells."""
    board, rows = started(world, 2, callback_url=CALLBACK_URL, callback_events=("scene.completed",))
    for number, row in enumerate(rows, 1):
        drawn(world, row, number, drawing(number))
    choice = Choice(rows[0].id, ChosenBy.CHECKS, (), world.clock())
    assert world.storyboards.decide(board.id, 1, choice)
    for _ in range(2):
        world.choose(board.id, 1)
    world.deliver_all()
    assert [event["data"]["chosen"] for event in world.customer.events] == [rows[0].id]


def test_nothing_is_chosen_while_a_candidate_may_still_come(world: World) -> None:
    board, rows = started(world, 2)
    drawn(world, rows[0], 1, drawing(1))
    world.choose(board.id, 1)
    assert scene_of(world, board).scene.choice is None


def test_a_scene_without_any_picture_is_over_without_a_choice(world: World) -> None:
    world.provider.answers = [GONE, GONE]
    board, rows = started(world, 2)
    assert {row.status for row in rows} == {Status.FAILED}
    world.choose(board.id, 1)
    state = scene_of(world, board)
    assert (state.over, state.scene.choice, state.status) == (True, None, "failed")
    assert world.assemble(board.id).status is BoardStatus.FAILED


def test_one_that_fails_does_not_keep_the_others_from_being_chosen(world: World) -> None:
    world.provider.answers = [GONE, Accepted(ProviderHandle("job-2"))]
    board, rows = started(world, 2)
    drawn(world, rows[1], 2, drawing(2))
    world.choose(board.id, 1)
    assert scene_of(world, board).chosen == world.row(rows[1])
    assert world.assemble(board.id).status is BoardStatus.SUCCEEDED


def test_where_nobody_could_look_the_first_picture_counts(world: World) -> None:
    """The workflow's step failed for good: the board ends all the same."""
    board, rows = started(world, 2, callback_url=CALLBACK_URL)
    for number, row in enumerate(rows, 1):
        drawn(world, row, number, drawing(number))
    assert world.assemble(board.id).status is BoardStatus.SUCCEEDED
    state = scene_of(world, board)
    assert state.chosen == world.row(rows[0])
    assert state.scene.choice is not None
    assert state.scene.choice.by is ChosenBy.ORDER


def test_a_lost_workflow_is_made_up_for_but_not_at_once(world: World) -> None:
    board, rows = started(world, 2, callback_url=CALLBACK_URL)
    world.clock.advance(minutes=4)
    for number, row in enumerate(rows, 1):
        drawn(world, row, number, drawing(number))
    world.sweep(seconds=1)
    assert scene_of(world, board).scene.choice is None
    for _ in range(4):
        world.sweep(minutes=2)
    state = scene_of(world, board)
    assert state.scene.choice is not None
    found = world.storyboards.get(board.id)
    assert found is not None
    assert found.status is BoardStatus.SUCCEEDED


def test_a_board_that_is_canceled_keeps_what_was_drawn(world: World) -> None:
    board, rows = started(world, 2)
    drawn(world, rows[0], 1, drawing(1))
    world.cancel.storyboard(board.tenant, board.id, lambda: True)
    for _ in range(8):
        world.sweep(minutes=2)
    state = scene_of(world, board)
    assert state.chosen == world.row(rows[0])
    found = world.storyboards.get(board.id)
    assert found is not None
    assert found.status is not BoardStatus.RUNNING


def test_the_caller_chooses_another_and_the_checks_do_not_change_it(world: World) -> None:
    board, rows = started(world, 2)
    for number, row in enumerate(rows, 1):
        drawn(world, row, number, drawing(number))
    world.select.select("acme", board.id, "scene-1", rows[1].id)
    world.choose(board.id, 1)
    state = scene_of(world, board)
    assert state.chosen == world.row(rows[1])
    assert state.scene.choice is not None
    assert state.scene.choice.by is ChosenBy.CALLER
    over_since = state.completed_at
    world.clock.advance(hours=1)
    world.select.select("acme", board.id, "scene-1", rows[0].id)
    state = scene_of(world, board)
    assert state.chosen == world.row(rows[0])
    assert state.completed_at == over_since


def test_what_is_no_picture_of_the_scene_is_not_selected(world: World) -> None:
    world.provider.answers = [GONE, Accepted(ProviderHandle("job-2"))]
    board, rows = started(world, 2)
    for wrong in (rows[0].id, rows[1].id, "pred_0"):
        with pytest.raises(NotSelectable):
            world.select.select("acme", board.id, "scene-1", wrong)
    drawn(world, rows[1], 2, drawing(2))
    for tenant, scene in (("other", "scene-1"), ("acme", "scene-9")):
        with pytest.raises(NotFound):
            world.select.select(tenant, board.id, scene, rows[1].id)


def test_a_scene_is_locked_and_unlocked(world: World) -> None:
    board, _ = started(world, 1)
    for locked in (True, True, False):
        answered = world.select.lock("acme", board.id, "scene-1", locked=locked).scene.locked_at
        assert (answered is not None) is locked
        assert scene_of(world, board).scene.locked_at == answered


def test_the_picture_of_a_locked_scene_stays_until_it_is_unlocked(world: World) -> None:
    board, rows = started(world, 2)
    for number, row in enumerate(rows, 1):
        drawn(world, row, number, drawing(number))
    world.choose(board.id, 1)
    world.select.lock("acme", board.id, "scene-1", locked=True)
    with pytest.raises(SceneLocked):
        world.select.select("acme", board.id, "scene-1", rows[1].id)
    assert scene_of(world, board).chosen == world.row(rows[0])
    world.select.lock("acme", board.id, "scene-1", locked=False)
    world.select.select("acme", board.id, "scene-1", rows[1].id)
    assert scene_of(world, board).chosen == world.row(rows[1])


def test_a_fallback_of_a_candidate_has_its_seed(world: World) -> None:
    unavailable = Rejected(Failure(FailureKind.UNKNOWN, "Replicate: broken"))
    world.provider.answers = [Accepted(ProviderHandle("job-1")), unavailable]
    board, _ = started(world, 2, fallback_models=(makers.FAL,))
    world.submit_all()
    state = scene_of(world, board)
    assert [(row.candidate, row.seed, row.model) for row in state.predictions] == [
        (1, 7, makers.REPLICATE),
        (2, 8, makers.REPLICATE),
        (2, 8, "fal-flux2-pro"),
    ]
    assert state.predictions[2].input["payload"]["seed"] == 8
