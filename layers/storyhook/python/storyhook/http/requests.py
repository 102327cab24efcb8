"""What callers may send. Unknown fields are refused, so that a typing error costs nothing.

Each model turns into the domain's own request; nothing behind this file sees pydantic.
"""

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from storyhook.domain.callback import PREDICTION_COMPLETED, STORYBOARD_COMPLETED
from storyhook.domain.requests import (
    DEFAULT_QUEUE_TIMEOUT_SECONDS,
    PredictionRequest,
    StoryboardRequest,
)
from storyhook.domain.story import (
    MAX_PICTURES,
    MAX_SCENES,
    REFUSE,
    Look,
    Scene,
)
from storyhook.http.character_bodies import CharacterBody
from storyhook.http.fields import (
    AspectRatio,
    Body,
    CallbackEvents,
    Candidates,
    Cast,
    Id,
    Models,
    Money,
    PaidAttempts,
    QueueTimeout,
    RowId,
    Seed,
    ShortText,
    Text,
    Url,
    WithoutReferences,
    each_once,
)

_MAX_REFERENCES_BROUGHT = 32


class OverrideBody(Body):
    outfit: Text


class SelectionBody(Body):
    prediction: RowId


class NothingBody(Body):
    """Of a route that takes no fields."""


class RotationBody(Body):
    force: StrictBool = False


class PredictionBody(Body):
    model: ShortText
    prompt: Text
    characters: Cast = ()
    aspect_ratio: AspectRatio = "16:9"
    style: Text | None = None
    seed: Seed | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    crowd: StrictBool | None = None
    without_references: WithoutReferences = REFUSE
    max_paid_attempts: PaidAttempts = 1
    max_cost: Money | None = None
    callback_url: Url | None = None
    callback_events: CallbackEvents = (PREDICTION_COMPLETED,)

    @field_validator("callback_events")
    @classmethod
    def _tells_of_itself(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        if events != (PREDICTION_COMPLETED,):
            raise ValueError(
                f"a prediction has {PREDICTION_COMPLETED} only; for the others POST /storyboards"
            )
        return events

    def to_request(self) -> PredictionRequest:
        return PredictionRequest(
            model=self.model,
            scene=Scene(
                id="the picture",
                position=1,
                description=self.prompt,
                characters=self.characters,
                options=self.options,
                crowd=self.crowd,
                without_references=self.without_references,
            ),
            look=Look(style=self.style, aspect_ratio=self.aspect_ratio),
            seed=self.seed,
            callback_url=self.callback_url,
            max_paid_attempts=self.max_paid_attempts,
            max_cost=self.max_cost,
        )


class SceneBody(Body):
    id: Id | None = None
    description: Text
    characters: Cast = ()
    setting: Text | None = None
    shot: ShortText | None = None
    camera: ShortText | None = None
    light: ShortText | None = None
    caption: Text | None = None
    overrides: dict[Id, OverrideBody] = Field(default_factory=dict)
    model: ShortText | None = None
    seed: Seed | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    crowd: StrictBool | None = None
    without_references: WithoutReferences | None = None
    fallback_models: Models | None = None
    fallback_on_block: StrictBool | None = None
    queue_timeout_seconds: QueueTimeout | None = None
    candidates: Candidates | None = None

    @field_validator("overrides")
    @classmethod
    def _overrides_are_on_stage(
        cls, overrides: dict[str, OverrideBody], info: ValidationInfo
    ) -> dict[str, OverrideBody]:
        on_stage = info.data.get("characters")
        absent = sorted(set(overrides) - set(on_stage)) if on_stage is not None else []
        if absent:
            raise ValueError(f"{absent[0]!r} is not among the scene's characters")
        return overrides

    def to_scene(self, position: int) -> Scene:
        return Scene(
            id=self.id or f"scene-{position}",
            position=position,
            description=self.description,
            characters=self.characters,
            setting=self.setting,
            shot=self.shot,
            camera=self.camera,
            light=self.light,
            caption=self.caption,
            overrides={name: body.model_dump() for name, body in self.overrides.items()},
            model=self.model,
            seed=self.seed,
            options=self.options,
            crowd=self.crowd,
            without_references=self.without_references or REFUSE,
            fallback_models=self.fallback_models,
            fallback_on_block=self.fallback_on_block,
            queue_timeout_seconds=self.queue_timeout_seconds,
            candidates=self.candidates,
        )


class StoryboardBody(Body):
    title: ShortText = "Untitled"
    model: ShortText
    seed: Seed | None = None
    seed_mode: Literal["by_scene", "same"] = "by_scene"
    style: Text | None = None
    palette: Annotated[tuple[ShortText, ...], Field(max_length=5)] = ()
    aspect_ratio: AspectRatio = "16:9"
    options: dict[str, Any] = Field(default_factory=dict)
    without_references: WithoutReferences = REFUSE
    fallback_models: Models = ()
    fallback_on_block: StrictBool = False
    queue_timeout_seconds: QueueTimeout = DEFAULT_QUEUE_TIMEOUT_SECONDS
    max_paid_attempts: PaidAttempts = 1
    max_cost: Money | None = None
    candidates: Candidates = 1
    callback_url: Url | None = None
    callback_events: CallbackEvents = (STORYBOARD_COMPLETED,)
    characters: Annotated[tuple[CharacterBody, ...], Field(max_length=32)] = ()
    scenes: Annotated[tuple[SceneBody, ...], Field(min_length=1, max_length=MAX_SCENES)]

    @field_validator("characters")
    @classmethod
    def _characters_differ(cls, characters: tuple[CharacterBody, ...]) -> tuple[CharacterBody, ...]:
        each_once(tuple(character.id for character in characters))
        given = sum(len(body.references) + bool(body.reference_image_url) for body in characters)
        if given > _MAX_REFERENCES_BROUGHT:
            raise ValueError(
                f"{given} references in one request; bring at most {_MAX_REFERENCES_BROUGHT}, "
                "and the others with POST /characters"
            )
        return characters

    @field_validator("scenes")
    @classmethod
    def _scene_ids_differ(cls, scenes: tuple[SceneBody, ...]) -> tuple[SceneBody, ...]:
        ids = [scene.id or f"scene-{n}" for n, scene in enumerate(scenes, 1)]
        name, count = Counter(ids).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{count} scenes are called {name!r}; give each its own id")
        return scenes

    @field_validator("scenes")
    @classmethod
    def _pictures_are_few_enough(
        cls, scenes: tuple[SceneBody, ...], info: ValidationInfo
    ) -> tuple[SceneBody, ...]:
        each = info.data.get("candidates", 1)
        count = sum(each if s.candidates is None else s.candidates for s in scenes)
        if count > MAX_PICTURES:
            raise ValueError(
                f"{count} pictures are asked for, candidates counted, and a board may have "
                f"{MAX_PICTURES}; ask for fewer candidates or split the board"
            )
        return scenes

    def to_request(self) -> StoryboardRequest:
        scenes = [
            scene.model_copy(
                update={
                    "options": {**self.options, **scene.options},
                    "without_references": scene.without_references or self.without_references,
                }
            )
            for scene in self.scenes
        ]
        return StoryboardRequest(
            title=self.title,
            model=self.model,
            scenes=tuple(scene.to_scene(n) for n, scene in enumerate(scenes, 1)),
            characters=tuple(character.to_request() for character in self.characters),
            look=Look(self.style, self.palette, self.aspect_ratio),
            seed=self.seed,
            callback_url=self.callback_url,
            callback_events=self.callback_events,
            same_seed=self.seed_mode == "same",
            max_paid_attempts=self.max_paid_attempts,
            max_cost=self.max_cost,
            fallback_models=self.fallback_models,
            fallback_on_block=self.fallback_on_block,
            queue_timeout_seconds=self.queue_timeout_seconds,
            candidates=self.candidates,
        )
