"""Each function's role in template.yaml allows what the function does on its events."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures import events, functions, template
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import FUNCTIONS, Stage

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
