"""What anybody may read: the API's description, the pages of it, of boards and of problems."""

from typing import Any

from storyhook import wiring
from storyhook.domain.errors import StoryhookError
from storyhook.http import problems


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    try:
        return wiring.pages()(event)
    except StoryhookError as error:
        return problems.response(error)
