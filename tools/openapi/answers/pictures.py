"""Predictions: what is sent to a model, and what became of it."""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field

from storyhook.domain.prediction import Status
from storyhook.http.fields import Angle, Role
from tools.openapi.answers.base import Path, Time, Url, Urls, Usd

PredictionStatus = Annotated[
    str, Field(json_schema_extra={"enum": list(dict.fromkeys(s.public for s in Status))})
]


class CancelUrls(Urls):
    cancel: Path


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


class View(TypedDict):
    character: str
    role: Role
    angle: Angle


CharacterVersions = Annotated[
    dict[str, int],
    Field(description="By the id of each character on stage, the version that was planned with."),
]


class Input(TypedDict):
    prompt: Annotated[str, Field(description="As compiled for the model.")]
    seed: int | None
    aspect_ratio: str
    character_versions: NotRequired[CharacterVersions]
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


class LimitedCost(Cost):
    max: Annotated[Usd | None, Field(description="USD; the request's `max_cost`.")]


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


class Told(Input):
    sheet: NotRequired[Annotated[View, Field(description="What it shows, as part of a sheet.")]]


class AnyPrediction(TypedDict):
    id: str
    status: PredictionStatus
    model: str
    provider: str
    provider_id: Annotated[str | None, Field(description="The provider's own id of the job.")]
    input: Told
    output: Output | None
    error: Error | None
    cost: LimitedCost
    metrics: Metrics
    cancellation: Cancellation | None
    urls: CancelUrls
    created_at: Time
    submitted_at: Time | None
    completed_at: Time | None


class Prediction(AnyPrediction):
    storyboard_id: str | None
    scene_id: str | None
    candidate: int | None
    replaces: Annotated[str | None, Field(description="The prediction that this is a fallback of.")]
    replaced_by: Annotated[str | None, Field(description="The prediction of the next model.")]
