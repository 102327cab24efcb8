"""What the API answers, as types. Made into JSON Schema here; nothing of this runs in the cloud.

tests/integration/test_openapi.py holds real answers against it, in both directions: every field
of an answer is described, and every described field has been seen in an answer.
"""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field

from storyhook.domain.callback import CallbackStatus
from storyhook.domain.prediction import Status
from storyhook.domain.storyboard import BoardStatus
from storyhook.http.fields import Role

Time = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, in UTC.")
]
Usd = Annotated[str, Field(pattern=r"^\d+\.\d{4,}$", description="USD, as a decimal text.")]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Path = Annotated[
    str, Field(description="Below the API's URL.", json_schema_extra={"format": "uri-reference"})
]
Angle = Literal["front", "three_quarter", "profile", "back"]
Kind = Literal["character", "location", "prop"]
PredictionStatus = Annotated[
    str, Field(json_schema_extra={"enum": list(dict.fromkeys(s.public for s in Status))})
]


class Urls(TypedDict):
    self: Path


class CancelUrls(Urls):
    cancel: Path


class ReplayUrls(Urls):
    replay: Path


# --- characters ---


class CharacterReference(TypedDict):
    id: str
    role: Role
    angle: Angle
    status: Literal["pending", "ready", "rejected"]
    width: int
    height: int
    sha256: str
    url: Annotated[Url, Field(description="Works for an hour; GET answers a new one.")]


class Character(TypedDict):
    id: str
    name: str
    kind: Kind
    description: str
    outfit: str | None
    version: Annotated[int, Field(ge=1, description="One more with each POST of the same id.")]
    references: list[CharacterReference]
    urls: Urls
    created_at: Time
    updated_at: Time


# --- what is sent to a model ---


class PlacedReference(TypedDict):
    position: Annotated[int, Field(ge=1, description="Its number in the prompt: image N.")]
    character: str
    role: Role
    angle: Angle
    reference_id: str
    why: str


class LeftOut(TypedDict):
    character: str
    role: Role
    angle: Angle
    reference_id: str
    why: str


class PriceLine(TypedDict):
    what: str
    quantity: float
    unit_price: str
    amount: str


class Input(TypedDict):
    prompt: Annotated[str, Field(description="As compiled for the model.")]
    seed: int | None
    aspect_ratio: str
    references: list[PlacedReference]
    left_out: list[LeftOut]
    price: list[PriceLine]
    template: Annotated[str, Field(description="The version of the prompt's rules.")]
    payload: Annotated[
        dict[str, Any],
        Field(description="The provider's own input, with reference:// where URLs will be."),
    ]


class Estimate(TypedDict):
    estimated: Annotated[Usd | None, Field(description="USD; null where no price is known.")]


class Plan(Input):
    model: str
    provider: str
    endpoint: str
    cost: Estimate
    warnings: list[str]


class PredictionPlan(Plan):
    dry_run: Literal[True]


# --- predictions ---


class Image(TypedDict):
    url: Annotated[Url, Field(description="Works until expires_at; GET answers a new one.")]
    expires_at: Time
    content_type: str
    width: int
    height: int
    bytes: int
    sha256: str


class Output(TypedDict):
    images: list[Image]
    seed: int | None


class Error(TypedDict):
    type: Annotated[Path, Field(description="Stable; the page there says what to do.")]
    title: str
    detail: str
    retryable: Annotated[
        bool, Field(description="A new prediction may succeed, and this one was not paid.")
    ]
    provider_code: str | None


class Cost(Estimate):
    actual: Annotated[
        Usd | None, Field(description="USD paid; null until, and unless, a picture was made.")
    ]


class Metrics(TypedDict):
    queue_seconds: float | None
    provider_seconds: float | None
    store_seconds: float | None
    total_seconds: float | None


class Cancellation(TypedDict):
    requested_at: Time
    in_time: Annotated[
        bool | None,
        Field(description="Whether no picture was made; null while the provider has not said."),
    ]


class Prediction(TypedDict):
    id: str
    status: PredictionStatus
    model: str
    provider: str
    provider_id: Annotated[str | None, Field(description="The provider's own id of the job.")]
    input: Input
    output: Output | None
    error: Error | None
    cost: Cost
    metrics: Metrics
    storyboard_id: str | None
    scene_id: str | None
    candidate: int | None
    replaces: Annotated[str | None, Field(description="The prediction that this is a fallback of.")]
    replaced_by: Annotated[str | None, Field(description="The prediction of the next model.")]
    cancellation: Cancellation | None
    urls: CancelUrls
    created_at: Time
    submitted_at: Time | None
    completed_at: Time | None


# --- storyboards ---


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
    candidates: NotRequired[list[str]]
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
    cost: Cost
    scenes: list[Scene]
    warnings: list[str]
    cancellation: BoardCancellation | None
    urls: CancelUrls
    created_at: Time
    completed_at: Time | None


class StoryboardSummary(TypedDict):
    id: str
    title: str
    status: BoardStatus
    scene_count: int
    cost: Estimate
    urls: CancelUrls
    created_at: Time
    completed_at: Time | None


class _PartsOfPlan(TypedDict, total=False):
    """What the plan of a very long board leaves out."""

    endpoint: str
    prompt: str
    seed: int | None
    aspect_ratio: str
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


# --- callbacks ---


class Attempt(TypedDict):
    at: Time
    status_code: Annotated[int | None, Field(description="null when no answer came.")]
    error: str | None
    duration_seconds: float | None
    response: Annotated[
        str | None, Field(description="The beginning of an answer that was no 2xx.")
    ]


class Address(TypedDict):
    status: Literal["active", "failing", "disabled"]
    since: Time | None
    reason: str | None


CallbackType = Literal["prediction.completed", "scene.completed", "storyboard.completed"]


class Callback(TypedDict):
    id: str
    type: CallbackType
    subject: Annotated[str, Field(description="The prediction's or the board's id.")]
    storyboard_id: str | None
    sequence: Annotated[int | None, Field(description="1, 2, 3, … in the order of what happened.")]
    url: str
    address: Address
    status: CallbackStatus
    error: str | None
    attempts: list[Attempt]
    next_attempt_at: Time | None
    urls: ReplayUrls
    created_at: Time
    expires_at: Annotated[Time | None, Field(description="When the log forgets it.")]


class CallbackWithPayload(Callback):
    payload: Annotated[dict[str, Any], Field(description="The body that is sent.")]


class CallbackSecret(TypedDict):
    secret: Annotated[str, Field(pattern="^whsec_", description="Verifies callbacks' signatures.")]
    version: int
    previous_expires_at: Annotated[
        Time | None, Field(description="Until then the one before signs, too.")
    ]


# --- models ---


class ReferenceRule(TypedDict):
    kind: str
    max: int
    required: bool
    max_total_megapixels: int | None


class PriceExample(TypedDict):
    what: str
    cost: Usd | None


class ModelPrice(TypedDict):
    rule: str
    unit_price: dict[str, str | None]
    as_of: Annotated[str, Field(json_schema_extra={"format": "date"})]
    grade: str
    example: PriceExample


class Model(TypedDict):
    id: str
    aliases: list[str]
    alias_notes: dict[str, str]
    provider: str
    endpoint: str
    family: str
    text_model: str | None
    edit_model: str | None
    twin: str | None
    references: ReferenceRule
    aspect_ratios: list[str]
    formats: list[str]
    seed: bool
    output: str
    options: dict[str, str]
    defaults: dict[str, Any]
    price: ModelPrice
    typical_seconds: int
    consistency: str
    best_for: str
    note: str


# --- lists, nothing, refusals ---


class Page[Item](TypedDict):
    items: list[Item]
    next_cursor: Annotated[
        str | None, Field(description="The next page's cursor; null on the last.")
    ]


class Models(TypedDict):
    items: list[Model]
    next_cursor: Annotated[None, Field(description="They come at once.")]


class Nothing(TypedDict):
    pass


AnyObject = dict[str, Any]


class FieldProblem(TypedDict):
    path: Annotated[str, Field(examples=["scenes[2].characters[0]"])]
    message: str


class Problem(TypedDict):
    """RFC 9457."""

    type: Annotated[Path, Field(description="Stable; the page there says what to do.")]
    title: str
    status: int
    detail: Annotated[str, Field(description="One sentence that says what to do.")]
    errors: NotRequired[list[FieldProblem]]


class GatewayMessage(TypedDict):
    """What API Gateway answers by itself, before a request meets Storyhook."""

    message: str


# --- what is sent to the caller's own URL ---


class SceneOfBoard(Scene):
    storyboard_id: str
    urls: Urls


class StoryboardOfItself(Storyboard):
    storyboard_id: str
