"""Storyboards, their plans, and what happens in them."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field

from storyhook.domain.choosing import Flaw
from storyhook.domain.storyboard import BoardStatus, ChosenBy
from tools.openapi.answers.base import Path, Time, Urls, Usd
from tools.openapi.answers.pictures import (
    Cancellation,
    CancelUrls,
    CharacterVersions,
    Cost,
    Error,
    Estimate,
    Image,
    LeftOut,
    LimitedCost,
    Metrics,
    PlacedReference,
    Prediction,
    PredictionStatus,
    PriceLine,
)


class BoardUrls(CancelUrls):
    events: Annotated[Path, Field(description="What happens in it, as it happens.")]


class Choice(TypedDict):
    """How the picture of a scene with several candidates was chosen."""

    by: ChosenBy
    reasons: list[str]
    flaws: Annotated[
        dict[str, list[Flaw]] | None,
        Field(description="What the checks found, by prediction; `null` if nobody looked."),
    ]
    at: Time


class Scene(TypedDict):
    """A very long board leaves out what is not required; GET of a prediction has it."""

    id: str
    position: NotRequired[int]
    status: PredictionStatus
    caption: NotRequired[str | None]
    description: NotRequired[str]
    characters: NotRequired[list[str]]
    prompt: NotRequired[str]
    model: NotRequired[str]
    seed: NotRequired[int | None]
    image: NotRequired[Image | None]
    chosen: Annotated[str | None, Field(description="The prediction whose picture is shown.")]
    candidates: NotRequired[
        Annotated[list[str], Field(description="All its predictions, replacements at the end.")]
    ]
    choice: NotRequired[
        Annotated[Choice | None, Field(description="`null` where nothing was chosen.")]
    ]
    locked: NotRequired[Annotated[bool, Field(description="The caller keeps it as it is.")]]
    fallbacks: NotRequired[Annotated[list[str], Field(description="Models that may be tried.")]]
    references: NotRequired[list[PlacedReference]]
    left_out: NotRequired[list[LeftOut]]
    cost: NotRequired[Cost]
    metrics: NotRequired[Metrics]
    error: NotRequired[Error | None]
    cancellation: NotRequired[Cancellation | None]


class Progress(TypedDict):
    total: int
    succeeded: int
    failed: Annotated[int, Field(description="Canceled and expired ones too.")]
    blocked: int
    running: Annotated[int, Field(description="Queued ones too.")]


class BoardCancellation(TypedDict):
    requested_at: Time
    canceled: Annotated[int, Field(description="How many scenes ended canceled.")]


class Storyboard(TypedDict):
    id: str
    title: str
    status: BoardStatus
    progress: Progress
    cost: LimitedCost
    character_versions: CharacterVersions
    scenes: list[Scene]
    warnings: list[str]
    cancellation: BoardCancellation | None
    urls: BoardUrls
    created_at: Time
    completed_at: Time | None


class StoryboardSummary(TypedDict):
    id: str
    title: str
    status: BoardStatus
    scene_count: int
    cost: Estimate
    urls: BoardUrls
    created_at: Time
    completed_at: Time | None


class _PartsOfPlan(TypedDict, total=False):
    """What the plan of a very long board leaves out."""

    endpoint: str
    prompt: str
    seed: int | None
    aspect_ratio: str
    character_versions: CharacterVersions
    references: list[PlacedReference]
    left_out: list[LeftOut]
    price: list[PriceLine]
    template: str
    payload: dict[str, Any]
    warnings: list[str]


class FallbackPlan(_PartsOfPlan):
    model: str
    provider: str
    cost: Estimate


class ScenePlan(_PartsOfPlan):
    id: str
    position: NotRequired[int]
    caption: NotRequired[str | None]
    characters: NotRequired[list[str]]
    candidates: NotRequired[Annotated[int, Field(description="How many such pictures.")]]
    model: NotRequired[str]
    provider: NotRequired[str]
    cost: NotRequired[Estimate]
    fallbacks: NotRequired[list[FallbackPlan]]


class BoardEstimate(Estimate):
    known: Annotated[Usd, Field(description="USD; the sum of the prices that are known.")]


class StoryboardPlan(TypedDict):
    dry_run: Literal[True]
    title: str
    seed: int
    scenes: list[ScenePlan]
    cost: BoardEstimate
    warnings: list[str]


class SceneOfBoard(Scene):
    storyboard_id: str
    urls: Urls


class StoryboardOfItself(Storyboard):
    storyboard_id: str


# --- what is told to a reader of a board ---


class _Event(TypedDict):
    sequence: Annotated[
        int, Field(ge=1, description="Counts along a chain of `next`, without gaps.")
    ]
    at: Time


class PredictionEvent(_Event):
    type: Literal["prediction.completed"]
    data: Prediction


class SceneEvent(_Event):
    type: Literal["scene.completed"]
    data: SceneOfBoard


class StoryboardEvent(_Event):
    type: Literal["storyboard.completed"]
    data: StoryboardSummary


class News(TypedDict):
    items: list[PredictionEvent | SceneEvent | StoryboardEvent]
    next: Annotated[str, Field(description="`after` of the next request; good for ever.")]
