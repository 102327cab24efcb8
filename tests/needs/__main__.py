"""python -m tests.needs: what the roles in template.yaml lack, and what they hold for nothing."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fixtures import cloud as clouds
from tests.fixtures import functions
from tests.fixtures.clock import Clock
from tests.fixtures.functions import FUNCTIONS, Stage
from tests.needs import calls, grants, report
from tests.needs.grants import Need
from tests.needs.stories import STORIES


@contextmanager
def fresh_stage() -> Iterator[Stage]:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        clouds.running() as cloud,
        functions.staged(cloud, Clock(), monkeypatch) as stage,
    ):
        yield stage


def asked_in(story: str) -> dict[str, set[Need]]:
    """By function; nothing is refused meanwhile, so that all that is missing is found at once."""
    with fresh_stage() as stage:
        stage.enforce_roles = False
        STORIES[story](stage)
    return {
        function: {need for call in made for need in calls.needs(call)}
        for function, made in stage.calls.items()
    }


def problems() -> list[str]:
    """Every call that is not granted, every grant that is not used."""
    asked = {function: set(calls.of_itself(function)) for function in FUNCTIONS}
    for story in STORIES:
        for function, needs in asked_in(story).items():
            asked[function] |= needs
    roles = {function: grants.statements(function) for function in FUNCTIONS}
    asked["the state machine"] = calls.of_state_machine()
    roles["the state machine"] = grants.of_state_machine()
    found = []
    for name, needs in asked.items():
        found += report.missing(name, needs, roles[name])
        found += report.unused(name, needs, roles[name])
    return found


def main() -> None:
    logging.disable()
    found = problems()
    print("\n".join(found) or "Every call is granted, and every grant is used.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
