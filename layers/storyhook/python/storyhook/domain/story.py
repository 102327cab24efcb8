"""The story as the caller tells it: characters with references, and scenes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

MAX_SCENES = 1000
MAX_REFERENCES_PER_CHARACTER = 16
MAX_REFERENCE_BYTES = 10 * 1024 * 1024
MAX_PROMPT_CHARACTERS = 4000
# Of all scenes together, and once more for each fallback: a plan names every one of them.
MAX_REFERENCES_ON_STAGE = 400_000
MAX_CANDIDATES = 8
# Of one board, candidates counted, fallbacks not.
MAX_PICTURES = 2000

# Those first that show best what a character is.
ROLES = ("face", "full_body", "place", "object", "outfit", "pose", "style")
ANGLES = ("front", "three_quarter", "profile", "back")
KINDS = ("character", "location", "prop")
# What a reference shows unless it is told: the thing itself.
MAIN_ROLES = {"character": "face", "location": "place", "prop": "object"}
# What becomes of characters whose references a model cannot be shown.
REFUSE: Final = "refuse"
DESCRIBE: Final = "describe"


@dataclass(frozen=True, slots=True)
class Reference:
    """An image of a character in our bucket. `width` and `height` in pixels."""

    id: str
    role: str
    angle: str
    key: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    status: str = "ready"


@dataclass(frozen=True, slots=True)
class Character:
    """One version of a person, place or thing.

    `first_version`: the one that it was created with; above 1 where an earlier character of the
    same id was deleted. `deleted_at` only on the last version of one that is gone.
    """

    id: str
    tenant: str
    name: str
    description: str
    outfit: str | None
    kind: str
    references: tuple[Reference, ...]
    version: int
    created_at: datetime
    updated_at: datetime
    first_version: int = 1
    deleted_at: datetime | None = None

    @property
    def is_person(self) -> bool:
        return self.kind == "character"


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture wanted. `overrides` maps a character id to changed fields (`outfit`).

    `crowd`: whether others than the characters may be seen; None leaves it to the words.
    `without_references`: what becomes of characters whose references the model cannot be shown.
    """

    id: str
    position: int
    description: str
    characters: tuple[str, ...] = ()
    setting: str | None = None
    shot: str | None = None
    camera: str | None = None
    light: str | None = None
    caption: str | None = None
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    model: str | None = None
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    crowd: bool | None = None
    without_references: str = REFUSE
    fallback_models: tuple[str, ...] | None = None
    fallback_on_block: bool | None = None
    queue_timeout_seconds: int | None = None
    candidates: int | None = None
    """None in these four: as the board says."""


@dataclass(frozen=True, slots=True)
class Look:
    """What all scenes of a board share."""

    style: str | None = None
    palette: tuple[str, ...] = ()
    aspect_ratio: str = "16:9"
