"""python -m tests.needs: what the roles in template.yaml lack, and what they hold for nothing."""

import logging
import sys

from tests.fixtures.functions import FUNCTIONS
from tests.needs import calls, grants, report
from tests.needs.stories import STORIES
from tests.needs.telling import tell


def problems() -> list[str]:
    """Every call that is not granted, every grant that is not used."""
    asked = {function: set(calls.of_itself(function)) for function in FUNCTIONS}
    for story in STORIES:
        for function, made in tell(story).calls.items():
            asked[function] |= {need for call in made for need in calls.needs(call)}
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
