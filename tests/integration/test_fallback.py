"""Fallbacks: a scene goes on with another model after a failure, never after a paid success."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from storyhook.aws import clients
from storyhook.domain import views
from storyhook.domain.errors import ProviderKeyMissing, SettingsError, StoryhookError, UnknownModel
from storyhook.domain.outcome import (
    RULES,
    Failed,
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Pending,
    Rejected,
    Succeeded,
)
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardStatus, SceneState, Storyboard
from storyhook.usecases import boards
from tests.fixtures import makers
from tests.fixtures.cloud import SECRETS
from tests.fixtures.world import (
    CALLBACK_URL,
    IMAGE_URL,
    THROTTLED,
    UNAVAILABLE,
    World,
    done,
    failed,
    in_threads,
)

# Elena has no reference here, so fal's text model draws her.
FIRST, SECOND, THIRD = "fal-flux2-pro", "rep-flux2-pro", "fal-flux2-pro-edit"


def with_fallback(world: World, *scenes: Any, **asked: Any) -> Storyboard:
    """A board on fal that falls back to Replicate; one scene unless told otherwise."""
    given: dict[str, Any] = {"model": FIRST, "fallback_models": (SECOND,), **asked}
    return world.board(*(scenes or (makers.scene(),)), **given)


def sent(world: World, board: Storyboard) -> list[Prediction]:
    """What the workflow does: a message with a task token for each scene."""
    for n, row in enumerate(world.rows_of(board), 1):
        world.submit.from_queue(row.id, f"task-token-{n}")
    return world.rows_of(board)


def chain(world: World, board: Storyboard, scene: int = 0) -> list[Prediction]:
    _, states = world.read_board(board.tenant, board.id)
    return list(states[scene].predictions)


def shown(world: World, board: Storyboard) -> Any:
    board, states = world.read_board(board.tenant, board.id)
    return views.storyboard(board, states, world.images.sign)


def told(world: World) -> list[str]:
    names = ("SendTaskSuccess", "SendTaskFailure")
    return [call["taskToken"] for name in names for call in world.cloud.operations(name)]


def paid_once_each(world: World) -> None:
    urls = [webhook_url for _, _, webhook_url in world.provider.submitted]
    assert len(set(urls)) == len(urls), "one POST per row"


def test_a_scene_that_failed_is_drawn_by_the_other_provider(world: World) -> None:
    scenes = (makers.scene(), makers.scene(id="scene-2", position=2))
    board = with_fallback(world, *scenes, callback_url=CALLBACK_URL)
    first, second = sent(world, board)
    world.webhook(second, done("fal", "job-2"))
    other = world.row(second)

    world.webhook(first, failed("fal", "job-1"))
    waiting = shown(world, board)
    assert (waiting["status"], waiting["progress"]["failed"]) == ("running", 0)
    assert (waiting["scenes"][0]["status"], waiting["scenes"][0]["error"]) == ("queued", None)
    assert waiting["scenes"][0]["fallbacks"] == [SECOND]
    world.submit_all()

    old, new = chain(world, board)
    assert (old.status, old.replaced_by, old.due_at) == (Status.FAILED, new.id, None)
    assert (new.status, new.replaces, new.provider) == (Status.SUBMITTED, old.id, "replicate")
    assert (new.tenant, new.key_id, new.candidate) == (old.tenant, old.key_id, old.candidate)
    assert new.token != old.token
    assert told(world) == ["task-token-2"], "the scene is not over"
    assert shown(world, board)["scenes"][0]["status"] == "running"
    endpoint, payload, webhook_url = world.provider.submitted[-1]
    assert endpoint == "black-forest-labs/flux-2-pro"
    assert payload == new.input["payload"]
    assert webhook_url is not None
    assert webhook_url.endswith(f"/webhooks/replicate/{new.id}.{new.token}")

    world.webhook(new, done("replicate", "job-3"))
    assert sorted(told(world)) == ["task-token-1", "task-token-2"]
    assert world.assemble(board.id).status is BoardStatus.SUCCEEDED
    world.deliver_all()
    [(_, body, _)] = world.customer.got
    data = json.loads(body)["data"]
    scene = data["scenes"][0]
    assert scene["candidates"] == [old.id, new.id]
    assert (scene["chosen"], scene["model"], scene["fallbacks"]) == (new.id, SECOND, [])
    assert scene["error"] is None
    assert world.row(second) == other, "finished scenes are kept"
    assert data["cost"]["actual"] == "0.0600", "of two pictures, the failed one was not paid"
    assert len(world.cloud.operations("PutObject")) == 2
    paid_once_each(world)
    assert world.sweep(days=2) == {"predictions": 0, "storyboards": 0, "callbacks": 0, "exports": 0}


@pytest.mark.parametrize("on_block", [False, True])
@pytest.mark.parametrize("kind", FailureKind)
def test_which_failures_move_a_scene_on(world: World, kind: FailureKind, on_block: bool) -> None:
    board = with_fallback(world, fallback_on_block=on_block)
    [row] = sent(world, board)
    world.settle.fail(row, Failure(kind, "x"))
    world.submit_all()
    wanted = RULES[kind].next_model or (on_block and kind is FailureKind.BLOCKED)
    assert len(chain(world, board)) == (2 if wanted else 1)
    assert told(world) == ([] if wanted else ["task-token-1"])
    assert (world.row(row).replaced_by is not None) == wanted


@pytest.mark.parametrize("blocked", [Status.BLOCKED, None])
def test_a_block_by_webhook_moves_on_by_choice(world: World, blocked: Status | None) -> None:
    board = with_fallback(world, makers.scene(fallback_on_block=blocked is None))
    [row] = sent(world, board)
    world.webhook(row, failed("fal", "job-1", blocked=True))
    world.submit_all()
    assert world.row(row).status is Status.BLOCKED
    assert [each.status for each in chain(world, board)[1:]] == (
        [] if blocked else [Status.SUBMITTED]
    )


def test_the_last_of_the_chain_tells_the_workflow_why(world: World) -> None:
    answers = [Failure(FailureKind.WRONG_KEY, "no key", "401"), UNAVAILABLE]
    world.provider.answers = [Rejected(failure) for failure in answers]
    board = with_fallback(world, model=SECOND, fallback_models=(FIRST,))
    sent(world, board)
    world.submit_all()
    first, last = chain(world, board)
    assert (first.failure, last.failure) == tuple(answers)
    assert (last.replaced_by, last.next_model) == (None, None)
    [call] = world.cloud.operations("SendTaskFailure")
    assert (call["taskToken"], call["cause"]) == ("task-token-1", UNAVAILABLE.detail)
    scene = shown(world, board)["scenes"][0]
    assert (scene["status"], scene["model"]) == ("failed", FIRST)
    assert scene["error"]["type"] == "/problems/provider-unavailable"
    assert world.assemble(board.id).status is BoardStatus.FAILED
    paid_once_each(world)


def test_predictions_show_their_chain(world: World) -> None:
    world.provider.answers = [Rejected(UNAVAILABLE)]
    board = with_fallback(world)
    sent(world, board)
    world.submit_all()
    old, new = [views.prediction(row, world.images.sign) for row in chain(world, board)]
    assert (old["replaces"], old["replaced_by"]) == (None, new["id"])
    assert (new["replaces"], new["replaced_by"]) == (old["id"], None)
    assert old["error"]["type"] == "/problems/provider-unavailable"


# --- never after a success, or what may be one ---


def test_a_paid_picture_that_is_lost_is_not_made_again(world: World) -> None:
    board = with_fallback(world)
    [row] = sent(world, board)
    world.pictures.files.clear()
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.webhook(row, done("fal", "job-1"))
    for _ in range(12):
        world.sweep(minutes=6)
    after = world.row(row)
    assert after.failure is not None
    assert (after.failure.kind, after.replaced_by) == (FailureKind.LOST_RESULT, None)
    assert len(world.provider.submitted) == 1


@pytest.mark.parametrize("later", [Failed(UNAVAILABLE), Pending()])
def test_what_the_provider_says_after_a_success_does_not_undo_it(world: World, later: Any) -> None:
    """A copy was cut short, and then the provider knows of no picture, or says nothing."""
    board = with_fallback(world)
    [row] = sent(world, board)
    assert world.predictions.advance(row.id, Status.STORING, {"due_at": world.clock()})
    world.provider.outcomes["job-1"] = later
    world.sweep(hours=9)
    after = world.row(row)
    assert after.failure is not None
    assert (after.status, after.failure.kind) == (Status.FAILED, FailureKind.LOST_RESULT)
    assert after.replaced_by is None


def test_a_lost_answer_to_the_submission_is_not_moved_on_from(world: World) -> None:
    world.provider.answers = [OutcomeUnknown("reset")]
    board = with_fallback(world)
    [row] = sent(world, board)
    for _ in range(60):
        world.sweep(minutes=3)
    after = world.row(row)
    assert after.failure is not None
    assert (after.status, after.failure.kind) == (Status.EXPIRED, FailureKind.OUTCOME_UNKNOWN)
    assert len(world.provider.submitted) == 1


def test_a_late_success_changes_nothing(world: World) -> None:
    """The cost of moving on."""
    board = with_fallback(world)
    [row] = sent(world, board)
    world.webhook(row, failed("fal", "job-1"))
    world.submit_all()
    before = world.cloud.state()
    world.webhook(row, done("fal", "job-1"))
    assert world.cloud.state() == before


# --- time ---


def test_a_full_queue_time_out_moves_on_and_says_what_the_provider_answered(world: World) -> None:
    world.provider.answers = [NotCreated(THROTTLED, 20.0)] * 9
    board = with_fallback(world, queue_timeout_seconds=60)
    [row] = world.rows_of(board)
    assert row.due_at == row.created_at + timedelta(seconds=75), "60, and 15 for its place"
    while (wait := world.submit.from_queue(row.id, "token")) is not None:
        assert world.row(row).due_at == row.created_at + timedelta(seconds=75)
        world.clock.advance(seconds=wait)
    assert world.clock() == row.created_at + timedelta(seconds=75), "the last wait is shorter"
    old = world.row(row)
    assert old.status is Status.EXPIRED
    assert views.error(old.failure) == {
        "type": "/problems/provider-throttled",
        "title": "The provider's rate limit was reached",
        "detail": "It could not be sent to the provider within 75 s. "
        "Its last answer: fal: slow down",
        "retryable": True,
        "provider_code": "concurrent_requests_limit",
    }
    world.provider.answers.clear()
    world.submit_all()
    _, new = chain(world, board)
    assert new.status is Status.SUBMITTED
    assert new.created_at == world.clock()
    assert new.deadline_at == world.clock() + timedelta(seconds=75 + 900)


def test_a_queue_time_out_is_full_without_any_message_too(world: World) -> None:
    """Its messages are in the dead letters: the reconciler ends it, and in time."""
    world.provider.answers = [NotCreated(UNAVAILABLE, 20.0)]
    board = with_fallback(world, queue_timeout_seconds=60)
    [row] = sent(world, board)
    world.sweep(seconds=74)
    assert world.row(row).status is Status.QUEUED
    world.sweep(seconds=1)
    assert world.row(row).status is Status.EXPIRED
    world.submit_all()
    assert chain(world, board)[1].status is Status.SUBMITTED


def test_a_scene_that_never_had_its_turn_moves_on(world: World) -> None:
    board = with_fallback(world)
    world.sweep(hours=1, minutes=1)
    [old] = world.rows_of(board)
    assert old.failure is not None
    assert (old.status, old.failure.kind) == (Status.EXPIRED, FailureKind.EXPIRED)
    assert "within 3660 s" in old.failure.detail
    world.submit_all()
    assert chain(world, board)[1].status is Status.SUBMITTED


def test_the_queue_time_out_is_not_the_models_time(world: World) -> None:
    board = with_fallback(world, queue_timeout_seconds=60)
    [row] = sent(world, board)
    world.sweep(minutes=10)
    assert world.row(row).status is Status.SUBMITTED


def test_a_job_that_stopped_when_told_moves_on(world: World) -> None:
    board = with_fallback(world)
    [row] = sent(world, board)
    world.sweep(hours=1, minutes=16)
    after = world.row(row)
    assert after.failure is not None
    assert (after.status, after.failure.kind) == (Status.EXPIRED, FailureKind.EXPIRED)
    assert after.replaced_by is not None


def test_a_job_told_to_stop_may_be_the_one_that_says_so(world: World) -> None:
    """fal sends a webhook for it, before the reconciler has looked again."""
    world.provider.stops = False
    board = with_fallback(world)
    [row] = sent(world, board)
    world.sweep(hours=1, minutes=16)
    assert world.row(row).status is Status.SUBMITTED
    canceled = {"detail": "x", "error_type": "client_cancelled"}
    world.webhook(row, {**failed("fal", "job-1"), "payload": canceled})
    assert world.row(row).status is Status.EXPIRED
    assert world.row(row).replaced_by is not None


def test_a_job_that_does_not_stop_is_not_moved_on_from(world: World) -> None:
    """It may finish and cost."""
    world.provider.stops = False
    board = with_fallback(world)
    [row] = sent(world, board)
    world.sweep(hours=1, minutes=16)
    assert world.row(row).status is Status.SUBMITTED
    world.sweep(minutes=16)
    after = world.row(row)
    assert after.failure is not None
    assert (after.status, after.failure.kind.value) == (Status.EXPIRED, "expired-at-provider")
    assert after.replaced_by is None


def test_a_picture_that_is_done_while_it_is_told_to_stop_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = with_fallback(world)
    [row] = sent(world, board)

    def too_late(*_: object) -> bool:
        world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
        return False

    monkeypatch.setattr(world.provider, "cancel", too_late)
    world.sweep(hours=1, minutes=16)
    assert world.row(row).status is Status.SUCCEEDED


# --- what is asked for ---


def test_a_scenes_own_list_replaces_the_boards(world: World) -> None:
    scenes = [
        makers.scene(id="a"),
        makers.scene(id="b", position=2, fallback_models=()),
        makers.scene(id="c", position=3, fallback_models=(FIRST,), model=SECOND),
        makers.scene(id="d", position=4, queue_timeout_seconds=60),
    ]
    board = with_fallback(world, *scenes)
    assert [scene["fallbacks"] for scene in shown(world, board)["scenes"]] == [
        [SECOND], [], [FIRST], [SECOND],
    ]  # fmt: skip
    waits = [(row.deadline_at - row.created_at).total_seconds() for row in world.rows_of(board)]
    assert waits == [3600 + 900 + 15 * n for n in (1, 2, 3)] + [60 + 900 + 15 * 4]


def test_without_fallbacks_nothing_more_is_stored(world: World) -> None:
    board = world.board()
    items = [item for item in world.cloud.rows() if item["sk"]["S"].startswith(("PRED", "SCENE"))]
    assert len(items) == 4
    new = {"fallbacks", "next_model", "replaces", "replaced_by", "refused"}
    assert [new & item.keys() for item in items] == [set()] * 4
    sent(world, board)
    assert not any(new & item.keys() for item in world.cloud.rows())


@pytest.mark.parametrize(
    ("asked", "scene", "paths"),
    [
        ({"fallback_models": ("nope",)}, {}, ["fallback_models[0]"]),
        ({"fallback_models": (SECOND, "no")}, {}, ["fallback_models[1]"]),
        ({}, {"fallback_models": (SECOND, "no")}, ["scenes[0].fallback_models[1]"]),
        (
            {"fallback_models": ("a",)},
            {"fallback_models": ("b",)},
            ["fallback_models[0]", "scenes[0].fallback_models[0]"],
        ),
    ],
)
def test_an_unknown_fallback_is_refused_by_its_place(
    world: World, asked: Any, scene: Any, paths: list[str]
) -> None:
    before = world.cloud.state()
    with pytest.raises(UnknownModel) as caught:
        with_fallback(world, makers.scene(**scene), **asked)
    assert [error.path for error in caught.value.errors] == paths
    assert world.cloud.state() == before


def test_a_model_that_cannot_draw_the_scene_is_left_out_with_a_warning(world: World) -> None:
    """Schnell takes no references; Marcus has one."""
    world.characters.replace(makers.character("marcus"), None)
    scenes = [
        makers.scene(id="a", characters=("marcus",)),
        makers.scene(id="b", position=2, characters=("marcus",), options={"resolution": "2 MP"}),
        makers.scene(id="c", position=3, characters=()),
    ]
    schnell = "rep-flux-schnell"
    board = with_fallback(world, *scenes, model=SECOND, fallback_models=(schnell, THIRD, SECOND))
    assert [scene["fallbacks"] for scene in shown(world, board)["scenes"]] == [
        [THIRD], [THIRD], [schnell, FIRST],
    ]  # fmt: skip
    [refused] = [text for text in board.warnings if schnell in text]
    assert refused.startswith(f"{schnell} is left out as a fallback: {schnell} takes no references")
    assert refused.endswith("(2 of 3 scenes)")
    [dropped] = [text for text in board.warnings if "'resolution'" in text]
    assert dropped.startswith(f"As a fallback: {THIRD} takes no option 'resolution'")
    assert f"{SECOND} is tried once, so it is left out as a fallback. (3 of 3 scenes)" in (
        board.warnings
    )
    assert len(board.warnings) == 3


def test_the_first_model_still_refuses_the_request(world: World) -> None:
    world.characters.replace(makers.character("marcus"), None)
    with pytest.raises(StoryhookError, match="takes no references"):
        with_fallback(world, makers.scene(characters=("marcus",)), model="rep-flux-schnell")


def test_references_are_planned_for_the_fallbacks_own_limits(world: World) -> None:
    """Nine fit fal, eight fit Replicate."""
    world.characters.replace(makers.character("marcus", references=9), None)
    scene = makers.scene(characters=("marcus",))
    world.provider.answers = [Rejected(UNAVAILABLE)]
    board = with_fallback(world, scene, model=THIRD)
    sent(world, board)
    world.submit_all()
    first, second = [payload for _, payload, _ in world.provider.submitted]
    assert len(first["image_urls"]) == 9
    assert len(second["input_images"]) == 8
    assert all("X-Amz-Signature" in url for url in second["input_images"])
    [left] = chain(world, board)[1].input["left_out"]
    assert left["why"] == "the model takes 8 references"


def test_many_kinds_of_warnings_are_cut_short() -> None:
    """They stand in the board's row, and 1,000 scenes may each have their own."""
    texts = boards._warnings([[f"{n}"] for n in range(80)])
    assert len(texts) == 51
    assert texts[:2] == ("0 (1 of 80 scenes)", "1 (1 of 80 scenes)")
    assert texts[-1].startswith("30 more")


def _states(world: World, board: Storyboard) -> Sequence[SceneState]:
    return world.read_board(board.tenant, board.id)[1]


def test_a_board_waits_for_a_replacement_that_is_not_there_yet(world: World) -> None:
    board = with_fallback(world)
    [row] = sent(world, board)
    world.webhook(row, failed("fal", "job-1"))
    [state] = _states(world, board)
    assert not state.over
    assert world.assemble(board.id).status is BoardStatus.RUNNING
    world.submit_all()
    [state] = _states(world, board)
    assert not state.over
    world.webhook(chain(world, board)[1], done("replicate", "job-2"))
    [state] = _states(world, board)
    assert state.over


def test_a_board_that_is_started_again_starts_with_its_first_predictions(world: World) -> None:
    world.provider.answers = [Rejected(UNAVAILABLE)]
    board = with_fallback(world)
    [row] = sent(world, board)
    world.submit_all()
    assert len(chain(world, board)) == 2
    world.sweep(minutes=3)
    again = world.cloud.operations("StartExecution")[-1]
    assert json.loads(again["input"])["predictions"] == [row.id]


def test_a_half_written_board_does_not_move_on(world: World) -> None:
    board = with_fallback(world, queue_timeout_seconds=60)
    world.cloud.table.delete({"pk": {"S": f"SB#{board.id}"}, "sk": {"S": "SB"}})
    world.sweep(minutes=2)
    assert [item for item in world.cloud.rows() if item["sk"]["S"] == "PRED"] == []


def test_a_key_that_is_not_set_up_moves_on_to_the_other_provider(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def provider(name: str) -> Any:
        if name == "fal":
            raise SettingsError("There is no fal-key.")
        return world.provider

    submit = dataclasses.replace(world.submit, provider=provider)
    board = with_fallback(world)
    [row] = world.rows_of(board)
    assert submit.from_queue(row.id, "token") is None
    assert submit.from_queue(row.id, None) is None
    old, new = chain(world, board)
    assert old.failure is not None
    assert (old.failure.kind, new.status) == (FailureKind.ACCOUNT, Status.SUBMITTED)


def test_two_candidates_of_a_scene_each_have_their_chain(world: World) -> None:
    board = with_fallback(world)
    [row] = world.rows_of(board)
    twin = dataclasses.replace(row, id="pred_twin", candidate=2)
    world.predictions.add(twin)
    [scene] = world.storyboards.scenes(board.id)
    world.storyboards.attach(board.id, scene, twin.id)
    rows = sent(world, board)
    in_threads(2, lambda n: world.settle.fail(rows[n], UNAVAILABLE))
    in_threads(4, lambda n: world.submit.from_queue(rows[n % 2].id, None))
    all_four = chain(world, board)
    assert [each.id for each in all_four[:2]] == [row.id, twin.id]
    assert {each.replaces for each in all_four[2:]} == {row.id, twin.id}
    assert sorted(each.candidate or 0 for each in all_four) == [1, 1, 2, 2]
    assert len(world.provider.submitted) == 4
    paid_once_each(world)


def test_a_fallback_at_a_provider_without_a_key_is_refused_at_once(world: World) -> None:
    clients.client("ssm").delete_parameter(Name=f"{SECRETS}/replicate-token")
    before = world.cloud.state()
    with pytest.raises(ProviderKeyMissing, match="REPLICATE_API_TOKEN"):
        with_fallback(world)
    assert world.cloud.state() == before
    with_fallback(world, fallback_models=())
