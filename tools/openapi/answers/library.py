"""The library: characters and their versions, uploads, sheets, what a change leaves stale."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from storyhook.http.fields import Angle, Role
from tools.openapi.answers.base import Path, Time, Url, Urls, Usd
from tools.openapi.answers.pictures import AnyPrediction, Estimate, Plan

Kind = Literal["character", "location", "prop"]


class CharacterReference(TypedDict):
    id: str
    role: Role
    angle: Angle
    status: Literal["ready"]
    width: int
    height: int
    sha256: str
    url: Annotated[Url, Field(description="Works for an hour; GET answers a new one.")]


class CharacterUrls(Urls):
    versions: Path
    stale: Path


class _Character(TypedDict):
    id: str
    name: str
    kind: Kind
    description: str
    outfit: str | None
    version: Annotated[int, Field(ge=1, description="One more with each change.")]
    references: list[CharacterReference]
    urls: CharacterUrls
    created_at: Time
    updated_at: Time


class Character(_Character):
    deleted_at: Annotated[
        Time | None, Field(description="Of a deleted one its versions are still shown.")
    ]


class StaleScene(TypedDict):
    id: str
    position: int
    version: Annotated[int, Field(description="The version that it was planned with.")]
    cost: Annotated[
        Usd | None, Field(description="USD, of its plan made anew; null where that has no price.")
    ]


class StaleBoard(TypedDict):
    storyboard_id: str
    title: str
    scenes: list[StaleScene]
    cost: Usd | None


class Stale(TypedDict):
    """Scenes that show an older version of a character."""

    items: list[StaleBoard]
    cost: Annotated[Usd | None, Field(description="USD, of all scenes in `items`.")]
    next_cursor: Annotated[
        str | None, Field(description="Where `urls.stale` goes on; null when all are here.")
    ]


class ChangedCharacter(_Character):
    deleted_at: None
    stale: Annotated[Stale, Field(description="What this change, or one before, left behind.")]


class SheetPrediction(AnyPrediction):
    angle: Angle
    storyboard_id: None
    scene_id: None
    candidate: None
    replaces: None
    replaced_by: None


class SheetPlan(Plan):
    angle: Angle


class _Sheet(TypedDict):
    character: str
    version: int
    role: Role
    cost: Estimate
    warnings: list[str]


class Sheet(_Sheet):
    items: list[SheetPrediction]


class SheetEstimate(_Sheet):
    dry_run: Literal[True]
    items: list[SheetPlan]


class Upload(TypedDict):
    """A form: `fields`, and then the file as the last part, named `file`, are sent to `url`."""

    id: Annotated[str, Field(description="The `upload` of a reference.")]
    url: Url
    fields: dict[str, str]
    expires_at: Annotated[Time, Field(description="Until then the form may be sent.")]
    max_bytes: int
