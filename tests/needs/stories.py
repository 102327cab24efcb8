"""What functions do beyond their events: each story takes a fresh stage through one of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from storyhook.aws.addresses import AddressTable
from storyhook.domain.callback import CallbackStatus
from storyhook.domain.fallback import NextModel
from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.prediction import Prediction, Status
from storyhook.web.request import Answer
from tests.fixtures import events, functions, makers
from tests.fixtures.functions import Stage
from tests.fixtures.pictures import picture

type Story = Callable[[Stage], None]

SCENES_TOLD: dict[str, Any] = {
    "callback_url": events.CALLBACK_URL,
    "callback_events": ("scene.completed",),
}


def event(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(events.path_of(name).read_text(encoding="utf-8"))
    return read


def every_event(stage: Stage) -> None:
    """All of events/, function by function."""
    for function in functions.FUNCTIONS:
        for path in sorted(events.FOLDER.glob(f"{function}/*.json")):
            stage.run(function, event(f"{function}/{path.stem}"))


def reconcile_after_hours(stage: Stage) -> None:
    for _ in range(6):
        stage.clock.advance(hours=4)
        stage.run("reconcile", event("reconcile/every_minute"))


def reconcile_finds_the_picture(stage: Stage) -> None:
    stage.seed("replicate", callback_url=events.CALLBACK_URL)
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
    stage.providers.answer = functions.done_at_replicate
    stage.clock.advance(minutes=10)
    stage.run("reconcile", event("reconcile/every_minute"))
    assert stage.prediction("replicate").status is Status.SUCCEEDED


def reconcile_removes_what_no_board_wanted(stage: Stage) -> None:
    stage.seed("fal", Status.QUEUED, storyboard_id="sb_none", scene_id="scene-1")
    stage.clock.advance(hours=1)
    stage.run("reconcile", event("reconcile/every_minute"))
    assert stage.predictions.get(events.PREDICTIONS["fal"]) is None


def reconcile_ends_a_canceled_board(stage: Stage) -> None:
    stage.seed_all()
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
    stage.run("cancel", events.cancel("storyboard", events.BOARD))
    stage.providers.answer = functions.canceled_at_replicate
    stage.run("reconcile", event("reconcile/every_minute"))


def submit_uploads_references(stage: Stage) -> None:
    stage.webhooks = "off"
    stage.seed("fal", Status.QUEUED)
    for reference in makers.character().references:
        stage.images.put(reference.key, picture(), "image/png")
    _submit(stage, events.PREDICTIONS["fal"])
    assert stage.prediction("fal").status is Status.SUBMITTED


def cancel_tells_everybody(stage: Stage) -> None:
    stage.seed_all()
    stage.providers.answer = functions.canceled_at_replicate
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
    stage.run("cancel", events.cancel("storyboard", events.BOARD))
    assert stage.cloud.operations("SendTaskFailure")
    assert stage.cloud.sent(stage.cloud.callbacks_url)


def webhook_moves_a_scene_on(stage: Stage) -> None:
    at = NextModel(1, 0, on_block=True)
    stage.seed("replicate", storyboard_id=events.BOARD, scene_id="scene-1", next_model=at)
    stage.run("webhook", event("webhook/replicate_failed"))
    assert stage.cloud.sent(stage.cloud.submissions_url)


def webhook_resumes_the_workflow(stage: Stage) -> None:
    for name in ("replicate_succeeded", "replicate_failed"):
        stage.cloud.table.delete(
            {"pk": {"S": f"PRED#{events.PREDICTIONS['replicate']}"}, "sk": {"S": "PRED"}}
        )
        stage.seed("replicate", callback_url=events.CALLBACK_URL)
        stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
        stage.run("webhook", event(f"webhook/{name}"))


def _scene_told(stage: Stage, status: Status) -> Prediction:
    """A board that tells of its scenes, and its only prediction."""
    scene = {"storyboard_id": events.BOARD, "scene_id": "scene-1", "scene_position": 1}
    row = stage.seed("replicate", status, **scene, **SCENES_TOLD)
    board, scenes = makers.board((row,), id=events.BOARD, **SCENES_TOLD)
    stage.storyboards.add(board, scenes, [])
    return row


def webhook_tells_of_a_scene(stage: Stage) -> None:
    _scene_told(stage, Status.SUBMITTED)
    stage.run("webhook", event("webhook/replicate_failed"))
    assert stage.cloud.operations("TransactWriteItems")


def submit_tells_of_a_scene(stage: Stage) -> None:
    row = _scene_told(stage, Status.QUEUED)
    stage.clock.advance(hours=9)  # too late to be sent
    _submit(stage, row.id)
    assert stage.cloud.operations("TransactWriteItems")


def assemble_tells_of_a_scene(stage: Stage) -> None:
    row = _scene_told(stage, Status.SUBMITTED)
    # Whoever ended it died before telling.
    assert stage.predictions.advance(row.id, Status.CANCELED, {"completed_at": stage.clock()})
    stage.run("assemble", {"storyboard_id": events.BOARD})
    assert stage.cloud.operations("TransactWriteItems")


def _callback_to(stage: Stage, answer: int) -> None:
    """A callback whose address has failed before."""
    stage.seed_all()
    stage.run("api", events.default("POST", f"/callbacks/{events.CALLBACK}/replay"))
    addresses = AddressTable(stage.cloud.table)
    for _ in range(2):
        addresses.failed("acme", events.CALLBACK_URL, stage.clock())
    stage.web.pages[events.CALLBACK_URL] = Answer(answer, b"", False)
    [message] = stage.cloud.sent(stage.cloud.callbacks_url)
    turn = {"callback_id": message["callback_id"], "turn": message["turn"]}
    stage.run("callback", events.queue("callbacks", turn))
    found = addresses.find("acme", events.CALLBACK_URL)
    assert (found is None) == (answer == 200)


def callback_forgets_a_failing_address(stage: Stage) -> None:
    _callback_to(stage, 200)


def callback_disables_an_address(stage: Stage) -> None:
    _callback_to(stage, 410)


def callback_fails_for_the_first_time(stage: Stage) -> None:
    stage.seed_all()
    stage.web.pages[events.CALLBACK_URL] = Answer(500, b"", False)
    stage.run("callback", event("callback/delivery"))
    found = stage.callbacks.get(events.CALLBACK)
    assert found is not None
    assert found.status is CallbackStatus.PENDING


def api_rotates_twice(stage: Stage) -> None:
    for _ in range(2):
        rotated = events.default("POST", "/callback-secret/rotate", {"force": True})
        assert stage.run("api", rotated)["statusCode"] == 200


def _submit(stage: Stage, prediction_id: str) -> None:
    stage.run("submit", events.queue("submissions", {"prediction_id": prediction_id}))


def seeded(story: Story) -> Story:
    def told(stage: Stage) -> None:
        stage.seed_all()
        story(stage)

    return told


STORIES: dict[str, Story] = {
    "every event": seeded(every_event),
    "reconcile after hours": seeded(reconcile_after_hours),
    **{
        story.__name__.replace("_", " "): story
        for story in (
            reconcile_finds_the_picture,
            reconcile_removes_what_no_board_wanted,
            reconcile_ends_a_canceled_board,
            submit_uploads_references,
            cancel_tells_everybody,
            webhook_moves_a_scene_on,
            webhook_resumes_the_workflow,
            webhook_tells_of_a_scene,
            submit_tells_of_a_scene,
            assemble_tells_of_a_scene,
            callback_forgets_a_failing_address,
            callback_disables_an_address,
            callback_fails_for_the_first_time,
            api_rotates_twice,
        )
    },
}
