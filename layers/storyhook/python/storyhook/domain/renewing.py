"""What a board keeps of its scenes, so that the price of making one anew can be planned later.

Apart from `storyboard`: whoever sends or ends a prediction need not load the story.
"""

from dataclasses import asdict
from typing import Any

from storyhook.domain.story import Look, Scene
from storyhook.domain.storyboard import BoardScene, Storyboard

# What a plan depends on beyond the fields that a board's scene has of its own.
_DETAILS = (
    *("setting", "shot", "camera", "light", "overrides", "model", "options", "crowd"),
    "without_references",
)


def details_of(scene: Scene) -> dict[str, Any] | None:
    """What is kept of a scene to plan it again: mostly little, so that its row stays small."""
    bare = Scene("", 0, "")
    asked = {name: getattr(scene, name) for name in _DETAILS}
    return {name: v for name, v in asked.items() if v != getattr(bare, name)} or None


def kept_look(look: Look) -> dict[str, Any]:
    return {**asdict(look), "palette": list(look.palette)}


def asked_of(scene: BoardScene) -> Scene:
    """The scene as it was asked for, as far as its plan depends on it."""
    return Scene(
        scene.id,
        scene.position,
        scene.description,
        scene.characters,
        caption=scene.caption,
        **(scene.details or {}),
    )


def look_of(board: Storyboard) -> Look | None:
    """None for a board that is older than looks that are kept."""
    if board.look is None:
        return None
    return Look(**{**board.look, "palette": tuple(board.look["palette"])})
