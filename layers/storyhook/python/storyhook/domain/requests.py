"""What callers ask for, once the HTTP edge has checked its form."""

from dataclasses import dataclass

from storyhook.domain.story import Look, Scene


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


@dataclass(frozen=True, slots=True)
class StoryboardRequest:
    title: str
    model: str
    scenes: tuple[Scene, ...]
    characters: tuple[CharacterRequest, ...]
    look: Look
    seed: int | None
    callback_url: str | None
    same_seed: bool = False
