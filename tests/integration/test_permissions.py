"""Each function's role in template.yaml allows what the function does on its events."""

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest

from storyhook.aws.addresses import AddressTable
from storyhook.domain.fallback import NextModel
from storyhook.domain.prediction import Status
from storyhook.web.request import Answer
from tests.fixtures import events, functions, makers, template
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import FUNCTIONS, Stage
from tests.fixtures.pictures import picture

SERVICES = {"stepfunctions": "states", "sfn": "states"}


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        yield stage


Call = tuple[str, str, dict[str, Any]]


def statements(function: str) -> Iterator[dict[str, Any]]:
    for policy in template.functions()[function].get("Policies", []):
        yield from policy["Statement"]


def allowed(function: str, call: Call) -> bool:
    """Whether one statement of the function's role allows the call: action, queue, row's key."""
    service, operation, parameters = call
    if operation == "TransactWriteItems":
        # It has no action of its own: each of its writes needs the one that it would need alone.
        writes = [write for item in parameters["TransactItems"] for write in item.items()]
        return all(allowed(function, (service, f"{name}Item", of)) for name, of in writes)
    action = f"{SERVICES.get(service, service)}:{operation}"
    return any(
        action in _each(statement["Action"])
        and _on_queue(statement, parameters)
        and _on_rows(statement, parameters)
        for statement in statements(function)
    )


def _on_queue(statement: dict[str, Any], parameters: dict[str, Any]) -> bool:
    if "QueueUrl" not in parameters:
        return True
    queue = parameters["QueueUrl"].rpartition("/")[2].capitalize()
    return {"!GetAtt": f"{queue}Queue.Arn"} in _each(statement["Resource"])


def _on_rows(statement: dict[str, Any], parameters: dict[str, Any]) -> bool:
    item = parameters.get("Key") or parameters.get("Item")
    condition = statement.get("Condition")
    if not isinstance(item, dict) or condition is None:
        return True
    patterns = condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    return any(fnmatch(item["pk"]["S"], pattern) for pattern in patterns)


def calls(stage: Stage, function: str) -> list[Call]:
    """What the function asks of AWS on its events."""
    begun = len(stage.cloud.calls)
    for path in sorted(events.FOLDER.glob(f"{function}/*.json")):
        event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stage.run(function, event)
        stage.clock.advance(minutes=10 if function == "reconcile" else 0)
    if function == "reconcile":
        stage.run(function, event)
    return stage.cloud.calls[begun:]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_does_is_allowed(stage: Stage, function: str) -> None:
    stage.seed_all()
    done = calls(stage, function)
    assert bool(done) == bool(list(statements(function))), "its events reach AWS, or it may nothing"
    assert [call for call in done if not allowed(function, call)] == []


def test_a_submit_may_upload_references(stage: Stage) -> None:
    stage.webhooks = "off"
    stage.seed("fal", Status.QUEUED)
    for reference in makers.character().references:
        stage.images.put(reference.key, picture(), "image/png")
    begun = len(stage.cloud.calls)
    stage.run("submit", events.queue("submissions", {"prediction_id": events.PREDICTIONS["fal"]}))
    assert stage.prediction("fal").status is Status.SUBMITTED
    assert [call for call in stage.cloud.calls[begun:] if not allowed("submit", call)] == []


def test_a_cancel_may_tell_everybody(stage: Stage) -> None:
    stage.seed_all()
    stage.providers.answer = functions.canceled_at_replicate
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "a-task-token")
    begun = len(stage.cloud.calls)
    stage.run("cancel", events.cancel("storyboard", events.BOARD))
    assert stage.cloud.operations("SendTaskFailure")
    assert stage.cloud.sent(stage.cloud.callbacks_url)
    assert [call for call in stage.cloud.calls[begun:] if not allowed("cancel", call)] == []


def test_a_webhook_may_move_a_scene_on(stage: Stage) -> None:
    at = NextModel(1, 0, on_block=True)
    stage.seed("replicate", storyboard_id=events.BOARD, scene_id="scene-1", next_model=at)
    event = json.loads((events.FOLDER / "webhook/replicate_failed.json").read_text("utf-8"))
    begun = len(stage.cloud.calls)
    stage.run("webhook", event)
    assert stage.cloud.sent(stage.cloud.submissions_url)
    assert [call for call in stage.cloud.calls[begun:] if not allowed("webhook", call)] == []


@pytest.mark.parametrize("function", ["webhook", "submit", "assemble"])
def test_a_board_may_tell_of_its_scenes(stage: Stage, function: str) -> None:
    told: dict[str, Any] = {
        "callback_url": events.CALLBACK_URL,
        "callback_events": ("scene.completed",),
    }
    status = Status.QUEUED if function == "submit" else Status.SUBMITTED
    row = stage.seed(
        "replicate",
        status,
        storyboard_id=events.BOARD,
        scene_id="scene-1",
        scene_position=1,
        **told,
    )
    board, scenes = makers.board((row,), id=events.BOARD, **told)
    stage.storyboards.add(board, scenes, [])
    if function == "assemble":
        # Whoever ended it died before telling.
        assert stage.predictions.advance(row.id, Status.CANCELED, {"completed_at": stage.clock()})
        event = {"storyboard_id": board.id}
    elif function == "submit":
        stage.clock.advance(hours=9)  # too late to be sent
        event = events.queue("submissions", {"prediction_id": row.id})
    else:
        event = json.loads((events.FOLDER / "webhook/replicate_failed.json").read_text("utf-8"))
    begun = len(stage.cloud.calls)
    stage.run(function, event)
    assert stage.cloud.operations("TransactWriteItems")
    assert stage.cloud.sent(stage.cloud.callbacks_url)
    assert [call for call in stage.cloud.calls[begun:] if not allowed(function, call)] == []


@pytest.mark.parametrize("answer", [200, 410])
def test_a_callback_may_look_after_its_address(stage: Stage, answer: int) -> None:
    stage.seed_all()
    stage.run("api", events.default("POST", f"/callbacks/{events.CALLBACK}/replay"))
    addresses = AddressTable(stage.cloud.table)
    for _ in range(2):
        addresses.failed("acme", events.CALLBACK_URL, stage.clock())
    stage.web.pages[events.CALLBACK_URL] = Answer(answer, b"", False)
    [message] = stage.cloud.sent(stage.cloud.callbacks_url)
    begun = len(stage.cloud.calls)
    turn = {"callback_id": message["callback_id"], "turn": message["turn"]}
    stage.run("callback", events.queue("callbacks", turn))
    found = addresses.find("acme", events.CALLBACK_URL)
    assert (found is None) == (answer == 200)
    assert [call for call in stage.cloud.calls[begun:] if not allowed("callback", call)] == []


def test_a_second_rotation_is_allowed(stage: Stage) -> None:
    stage.seed_all()
    for _ in range(2):
        event = events.default("POST", "/callback-secret/rotate", {"force": True})
        begun = len(stage.cloud.calls)
        assert stage.run("api", event)["statusCode"] == 200
        assert [call for call in stage.cloud.calls[begun:] if not allowed("api", call)] == []


def test_no_statement_is_wider_than_one_resource() -> None:
    for function in FUNCTIONS:
        for statement in statements(function):
            assert "*" not in _each(statement["Resource"])
            assert not [name for name in _each(statement["Action"]) if name.endswith("*")]


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
