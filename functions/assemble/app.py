"""The last state of a board's workflow: its status, its end, its callback."""

from typing import Any

from storyhook import wiring
from storyhook.logs import handled


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    board = wiring.assemble()(event["storyboard_id"])
    handled("assembled", storyboard_id=board.id, status=board.status.value)
    return {"storyboard_id": board.id, "status": board.status.value}
