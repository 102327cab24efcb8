"""What callers ask for, once the HTTP edge has checked its form."""

from dataclasses import dataclass
from decimal import Decimal

from storyhook.domain.callback import STORYBOARD_COMPLETED
from storyhook.domain.story import Look, Scene

DEFAULT_QUEUE_TIMEOUT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class ReferenceRequest:
    """A picture from one of `url`, `upload` (an id) and `prediction` (an id).

    Without a role it shows the thing itself, without an angle its front; a prediction that was
    made for a sheet knows both.
    """

    url: str | None = None
    role: str | None = None
    angle: str | None = None
    upload: str | None = None
    prediction: str | None = None


@dataclass(frozen=True, slots=True)
class CharacterRequest:
    id: str
    name: str
    description: str
    outfit: str | None
    kind: str
    references: tuple[ReferenceRequest, ...]


@dataclass(frozen=True, slots=True)
class SheetRequest:
    """The angles of a character that are wanted; None in these: what is missing, by default."""

    model: str | None = None
    angles: tuple[str, ...] | None = None
    role: str | None = None
    style: str | None = None
    seed: int | None = None
    max_cost: Decimal | None = None
    callback_url: str | None = None


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
    candidates: int = 1

    def candidates_of(self, scene: Scene) -> int:
        """How many pictures of the scene are wanted to choose from."""
        return self.candidates if scene.candidates is None else scene.candidates

    @property
    def pictures(self) -> int:
        return sum(map(self.candidates_of, self.scenes))
