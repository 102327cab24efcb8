"""What functions do beyond their events: each story takes a fresh stage through one of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from storyhook.aws import clients
from storyhook.aws.addresses import AddressTable
from storyhook.aws.queues import SubmissionsQueue
from storyhook.domain.callback import CallbackStatus
from storyhook.domain.fallback import NextModel
from storyhook.domain.images import StoredImage
from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.prediction import Prediction, Status
from storyhook.web.request import Answer
from tests.fixtures import events, functions, makers, signing
from tests.fixtures.functions import Stage
from tests.fixtures.pictures import picture
from tests.fixtures.server import Reply, Request
from tests.needs import money

type Story = Callable[[Stage], None]

STORIES: dict[str, Story] = {}

PICTURE = StoredImage("images/acme/pred/0.png", "image/png", 1344, 768, 9, "sha256")
SCENES_TOLD: dict[str, Any] = {
    "callback_url": events.CALLBACK_URL,
    "callback_events": ("scene.completed",),
}


def story(told: Story) -> Story:
    STORIES[told.__name__.replace("_", " ")] = told
    return told


for each in money.STORIES:
    story(each)


event = events.read


@story
def every_event(stage: Stage) -> None:
    """All of events/, function by function."""
    stage.seed_all()
    stage.seed_library()
    stage.seed_key()
    stage.seed_share()
    stage.seed_export()
    for function in functions.FUNCTIONS:
        for path in sorted(events.FOLDER.glob(f"{function}/*.json")):
            stage.run(function, event(f"{function}/{path.stem}"))


@story
def reconcile_after_hours(stage: Stage) -> None:
    stage.seed_all()
    for _ in range(6):
        stage.clock.advance(hours=4)
        stage.run("reconcile", event("reconcile/every_minute"))


@story
def reconcile_finds_the_picture(stage: Stage) -> None:
    stage.seed("replicate", callback_url=events.CALLBACK_URL)
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
    stage.providers.answer = functions.done_at_replicate
    stage.clock.advance(minutes=10)
    stage.run("reconcile", event("reconcile/every_minute"))
    assert stage.prediction("replicate").status is Status.SUCCEEDED


@story
def reconcile_removes_what_no_board_wanted(stage: Stage) -> None:
    stage.seed("fal", Status.QUEUED, storyboard_id="sb_none", scene_id="scene-1")
    stage.clock.advance(hours=1)
    stage.run("reconcile", event("reconcile/every_minute"))
    assert stage.predictions.get(events.PREDICTIONS["fal"]) is None


@story
def reconcile_ends_a_canceled_board(stage: Stage) -> None:
    stage.seed_all()
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
    stage.run("cancel", events.cancel("storyboard", events.BOARD))
    stage.providers.answer = functions.canceled_at_replicate
    stage.run("reconcile", event("reconcile/every_minute"))


@story
def cancel_tells_everybody(stage: Stage) -> None:
    stage.seed_all()
    stage.providers.answer = functions.canceled_at_replicate
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
    stage.run("cancel", events.cancel("storyboard", events.BOARD))
    assert stage.cloud.operations("SendTaskFailure")
    assert stage.cloud.sent(stage.cloud.callbacks_url)


@story
def candidates_are_chosen_among(stage: Stage) -> None:
    """By the checks, which look at the references too, and then by the caller."""
    stage.images.put(PICTURE.key, picture(), PICTURE.content_type)
    character = makers.character()
    for reference in character.references:
        stage.images.put(reference.key, picture(), reference.content_type)
    rows = [
        makers.of_board(
            makers.prediction(
                Status.SUCCEEDED,
                id=f"pred_choice{number}",
                images=(PICTURE,),
                scene_position=1,
                completed_at=stage.clock(),
                **SCENES_TOLD,
            ),
            "sb_choice",
        )
        for number in (1, 2)
    ]
    board, [scene] = makers.board(tuple(rows), id="sb_choice", callback_url=events.CALLBACK_URL)
    stage.storyboards.add(board, [replace(scene, chooses=True)], rows)
    stage.run("choose", {"storyboard_id": board.id, "position": 1})
    assert stage.cloud.sent(stage.cloud.callbacks_url)
    path = f"/storyboards/{board.id}/scenes/scene-1/select"
    stage.run("api", events.default("POST", path, {"prediction": rows[1].id}))


@story
def webhook_moves_a_scene_on(stage: Stage) -> None:
    at = NextModel(1, 0, on_block=True)
    stage.seed("replicate", storyboard_id=events.BOARD, scene_id="scene-1", next_model=at)
    stage.run("webhook", event("webhook/replicate_failed"))
    assert stage.cloud.sent(stage.cloud.submissions_url)


@story
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
    scene: dict[str, Any] = {
        "storyboard_id": events.BOARD,
        "scene_id": "scene-1",
        "scene_position": 1,
    }
    row = stage.seed("replicate", status, **scene, **SCENES_TOLD)
    board, scenes = makers.board((row,), id=events.BOARD, **SCENES_TOLD)
    stage.storyboards.add(board, scenes, [])
    return row


@story
def webhook_tells_of_a_scene(stage: Stage) -> None:
    _scene_told(stage, Status.SUBMITTED)
    stage.run("webhook", event("webhook/replicate_failed"))
    assert stage.cloud.operations("TransactWriteItems")


@story
def submit_tells_of_a_scene(stage: Stage) -> None:
    row = _scene_told(stage, Status.QUEUED)
    stage.clock.advance(hours=9)  # too late to be sent
    _submit(stage, row.id)
    assert stage.cloud.operations("TransactWriteItems")


@story
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


@story
def callback_forgets_a_failing_address(stage: Stage) -> None:
    _callback_to(stage, 200)


@story
def callback_disables_an_address(stage: Stage) -> None:
    _callback_to(stage, 410)


@story
def callback_fails_for_the_first_time(stage: Stage) -> None:
    stage.seed_all()
    stage.web.pages[events.CALLBACK_URL] = Answer(500, b"", False)
    stage.run("callback", event("callback/delivery"))
    found = stage.callbacks.get(events.CALLBACK)
    assert found is not None
    assert found.status is CallbackStatus.PENDING


@story
def api_rotates_twice(stage: Stage) -> None:
    for _ in range(2):
        rotated = events.default("POST", "/callback-secret/rotate", {"force": True})
        assert stage.run("api", rotated)["statusCode"] == 200


@story
def a_read_waits(stage: Stage) -> None:
    """Twice: the second finds the place that the first has left."""
    row = stage.seed("fal")
    for _ in range(2):
        stage.run("api", events.default("GET", f"/predictions/{row.id}", query={"wait": "2"}))


def _submit(stage: Stage, prediction_id: str) -> None:
    stage.run("submit", events.queue("submissions", {"prediction_id": prediction_id}))


@story
def api_shows_a_picture(stage: Stage) -> None:
    row = stage.seed("replicate", Status.SUCCEEDED, images=(PICTURE,))
    assert stage.run("api", events.default("GET", f"/predictions/{row.id}"))["statusCode"] == 200


@story
def api_makes_a_board_at_fal(stage: Stage) -> None:
    stage.seed_all()
    wanted = events.default("POST", "/storyboards", {**events.STORYBOARD, "model": "flux-2-pro"})
    assert stage.run("api", wanted)["statusCode"] == 202


@story
def a_request_is_rejected_by_the_provider(stage: Stage) -> None:
    stage.seed_all()
    stage.providers.answer = lambda _: Reply(422, signing.example("fal_422_validation"))
    body = {**events.PREDICTION, "callback_url": events.CALLBACK_URL}
    stage.run("create_prediction", events.http("POST /predictions", body))
    assert stage.cloud.sent(stage.cloud.callbacks_url)


@story
def a_request_uploads_references_again_once_they_are_gone(stage: Stage) -> None:
    _with_references(stage)
    stage.seed_all()
    for _ in range(2):
        stage.run("create_prediction", event("create_prediction/fal"))
        stage.clock.advance(days=9)


@story
def a_webhook_is_faster_than_the_answer(stage: Stage) -> None:
    stage.seed_all()

    def answer(request: Request) -> Reply:
        begun = len(stage.cloud.calls)
        [row] = [r for r in stage.predictions.list("acme", 9, None).items if r.seed == 12345]
        for status in (Status.STORING, Status.SUCCEEDED):
            stage.predictions.advance(row.id, status, {"images": (PICTURE,)})
        del stage.cloud.calls[begun:]  # Those of another function.
        return functions.provider_answers(request)

    stage.providers.answer = answer
    shown = stage.run("create_prediction", event("create_prediction/fal"))
    assert json.loads(shown["body"])["status"] == "succeeded"


@story
def submit_uploads_references_again_once_they_are_gone(stage: Stage) -> None:
    _with_references(stage)
    for n in range(2):
        row = stage.seed(
            "fal", Status.QUEUED, id=f"pred_{n}", deadline_at=stage.clock() + timedelta(hours=2)
        )
        _submit(stage, row.id)
        stage.clock.advance(days=9)


@story
def submit_is_throttled(stage: Stage) -> None:
    row = stage.seed("fal", Status.QUEUED)
    SubmissionsQueue(clients.client("sqs"), stage.cloud.submissions_url).enqueue(row.id)
    [message] = stage.cloud.messages(stage.cloud.submissions_url)
    stage.providers.answer = lambda _: Reply(429, {"detail": "slow down"}, {"Retry-After": "7"})
    waiting = events.queue("submissions", {"prediction_id": row.id})
    waiting["Records"][0]["receiptHandle"] = message["receipt"]
    assert stage.run("submit", waiting)["batchItemFailures"]


@story
def submit_moves_a_scene_on(stage: Stage) -> None:
    at = NextModel(1, 0, on_block=True)
    scene: dict[str, Any] = {"storyboard_id": events.BOARD, "scene_id": "scene-1"}
    row = stage.seed("fal", Status.QUEUED, next_model=at, **scene)
    stage.clock.advance(hours=9)  # too late to be sent
    _submit(stage, row.id)
    assert stage.cloud.sent(stage.cloud.submissions_url)


@story
def submit_resumes_a_workflow_that_came_late(stage: Stage) -> None:
    failure = Failure(FailureKind.UNAVAILABLE, "fal: status 503")
    stage.seed("fal", Status.FAILED, failure=failure)
    stage.seed("replicate", Status.SUCCEEDED, images=(PICTURE,))
    for prediction_id in events.PREDICTIONS.values():
        message = {"prediction_id": prediction_id, "task_token": "a-task-token"}
        stage.run("submit", events.queue("submissions", message))


@story
def what_is_asked_twice(stage: Stage) -> None:
    """Refused, which frees the key; made with the same key; and asked again."""
    stage.seed_all()
    for route, function, body in (
        ("POST /predictions", "create_prediction", events.PREDICTION),
        ("POST /storyboards", "api", {**events.STORYBOARD, "model": "rep-flux2-pro"}),
        ("POST /characters/marcus/sheet", "api", {}),
    ):
        refused, key = {**body, "model": "no-such"}, {"idempotency-key": route}
        statuses = [
            stage.run(function, events.http(route, sent, headers=key))["statusCode"]
            for sent in (refused, body, body)
        ]
        assert statuses == [422, 202, 202]


@story
def exports_are_made_shown_and_sent_again(stage: Stage) -> None:
    stage.seed_caller()
    export = stage.seed_export()
    stage.clock.advance(minutes=10)  # its message is lost
    stage.run("reconcile", event("reconcile/every_minute"))
    [message] = stage.cloud.sent(stage.cloud.exports_url)
    stage.run("export", events.queue("exports", {"export_id": message["export_id"]}))
    here = f"/storyboards/{export.storyboard_id}/exports"
    assert stage.run("api", events.default("GET", f"{here}/{export.id}"))["statusCode"] == 200
    assert json.loads(stage.run("api", events.default("GET", here))["body"])["items"]
    wanted = events.default("POST", here, {"format": "csv"})
    assert stage.run("api", wanted)["statusCode"] == 202


@story
def cancel_finds_a_picture(stage: Stage) -> None:
    row = stage.seed("replicate", Status.SUCCEEDED, images=(PICTURE,))
    stage.run("cancel", events.cancel("prediction", row.id))


@story
def cancel_tells_of_scenes(stage: Stage) -> None:
    _scene_told(stage, Status.QUEUED)
    stage.run("cancel", events.cancel("storyboard", events.BOARD))
    assert stage.cloud.operations("TransactWriteItems")


@story
def assemble_shows_pictures(stage: Stage) -> None:
    scene: dict[str, Any] = {"storyboard_id": events.BOARD, "scene_id": "scene-1"}
    row = stage.seed("replicate", Status.SUCCEEDED, images=(PICTURE,), **scene)
    board, scenes = makers.board((row,), id=events.BOARD, callback_url=events.CALLBACK_URL)
    stage.storyboards.add(board, scenes, [])
    stage.run("assemble", {"storyboard_id": board.id})


def _with_references(stage: Stage) -> None:
    """Where no provider can reach this stack."""
    stage.webhooks = "off"
    for reference in makers.character().references:
        stage.images.put(reference.key, picture(), "image/png")
