"""Each function's role in template.yaml allows what the function does on its events."""

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest

from storyhook.domain.prediction import Status
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


def allowed(function: str) -> set[str]:
    actions: set[str] = set()
    for policy in template.functions()[function].get("Policies", []):
        for statement in policy["Statement"]:
            action = statement["Action"]
            actions.update([action] if isinstance(action, str) else action)
    return actions


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_touches_only_the_rows_that_its_role_names(stage: Stage, function: str) -> None:
    stage.seed_all()
    begun = len(stage.cloud.calls)
    used(stage, function)
    assert_rows_are_allowed(stage, function, begun)


def test_a_submit_that_uploads_touches_only_the_rows_that_its_role_names(stage: Stage) -> None:
    stage.webhooks = "off"
    stage.seed("fal", Status.QUEUED)
    for reference in makers.character().references:
        stage.images.put(reference.key, picture(), "image/png")
    begun = len(stage.cloud.calls)
    stage.run("submit", events.queue("submissions", {"prediction_id": events.PREDICTIONS["fal"]}))
    assert stage.prediction("fal").status is Status.SUBMITTED
    assert_rows_are_allowed(stage, "submit", begun)


def assert_rows_are_allowed(stage: Stage, function: str, begun: int) -> None:
    touched = [
        (operation, (values.get("Key") or values["Item"])["pk"]["S"])
        for _, operation, values in stage.cloud.calls[begun:]
        if operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
    ]
    assert touched
    for operation, pk in touched:
        patterns = rows_of(function, f"dynamodb:{operation}")
        assert any(fnmatch(pk, pattern) for pattern in patterns), (operation, pk, patterns)


def rows_of(function: str, action: str) -> list[str]:
    """Patterns of the partition keys on which the role allows the action."""
    found: list[str] = []
    for policy in template.functions()[function].get("Policies", []):
        for statement in policy["Statement"]:
            if action in _each(statement["Action"]):
                condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
                found += condition.get("dynamodb:LeadingKeys", ["*"])
    return found


def used(stage: Stage, function: str) -> set[str]:
    begun = len(stage.cloud.calls)
    for path in sorted(events.FOLDER.glob(f"{function}/*.json")):
        event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stage.run(function, event)
        stage.clock.advance(minutes=10 if function == "reconcile" else 0)
    if function == "reconcile":
        stage.run(function, event)
    return {
        f"{SERVICES.get(service, service)}:{operation}"
        for service, operation, _ in stage.cloud.calls[begun:]
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_does_is_allowed(stage: Stage, function: str) -> None:
    stage.seed_all()
    done = used(stage, function)
    assert done, "its events reach AWS"
    assert done - allowed(function) == set()


def test_no_statement_is_wider_than_one_resource() -> None:
    for function in FUNCTIONS:
        for policy in template.functions()[function].get("Policies", []):
            for statement in policy["Statement"]:
                assert "*" not in _each(statement["Resource"])
                assert not [name for name in _each(statement["Action"]) if name.endswith("*")]


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
