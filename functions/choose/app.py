"""The state of a board's workflow after a scene's candidates: one of them becomes its picture."""

from typing import Any

from storyhook import wiring
from storyhook.logs import handled


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    board_id, position = event["storyboard_id"], event["position"]
    state = wiring.choose()(board_id, position)
    handled("chosen", storyboard_id=board_id, position=position, status=state.status)
    return {"status": state.status}
