"""What callers ask for, once the HTTP edge has checked its form."""

from dataclasses import dataclass
from decimal import Decimal

from storyhook.domain.callback import STORYBOARD_COMPLETED
from storyhook.domain.story import Look, Scene

DEFAULT_QUEUE_TIMEOUT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class ReferenceRequest:
    url: str
    role: str
    angle: str


@dataclass(frozen=True, slots=True)
class CharacterRequest:
    id: str
    name: str
    description: str
    outfit: str | None
    kind: str
    references: tuple[ReferenceRequest, ...]


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    model: str
    scene: Scene
    look: Look
    seed: int | None
    callback_url: str | None
    max_paid_attempts: int = 1
    max_cost: Decimal | None = None
    """USD."""


@dataclass(frozen=True, slots=True)
class StoryboardRequest:
    title: str
    model: str
    scenes: tuple[Scene, ...]
    characters: tuple[CharacterRequest, ...]
    look: Look
    seed: int | None
    callback_url: str | None
    fallback_models: tuple[str, ...] = ()
    fallback_on_block: bool = False
    queue_timeout_seconds: int = DEFAULT_QUEUE_TIMEOUT_SECONDS
    same_seed: bool = False
    max_paid_attempts: int = 1
    callback_events: tuple[str, ...] = (STORYBOARD_COMPLETED,)
    max_cost: Decimal | None = None
    """USD."""
