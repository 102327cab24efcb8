"""Characters, locations and props with their reference images, and uploads of such images."""

from __future__ import annotations

from pydantic import Field

from storyhook_client.answers.base import Answer, Moment, Money, Urls
from storyhook_client.answers.pictures import Cost, Plan, Prediction


class Reference(Answer):
    id: str
    role: str | None = None
    angle: str | None = None
    status: str | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    url: str | None = None


class StaleScene(Answer):
    """`cost` is that of making it anew with the newest version."""

    id: str
    position: int | None = None
    version: int | None = None
    cost: Money | None = None


class StaleBoard(Answer):
    """A board that was planned with an older version."""

    storyboard_id: str
    title: str = ""
    scenes: tuple[StaleScene, ...] = ()
    cost: Money | None = None


class Stale(Answer):
    """What a change has left behind; `cost` is that of `items`."""

    items: tuple[StaleBoard, ...] = ()
    cost: Money | None = None
    next_cursor: str | None = None


class Character(Answer):
    """`stale` comes with the answer to a change."""

    id: str
    name: str = ""
    kind: str = "character"
    description: str = ""
    outfit: str | None = None
    version: int | None = None
    references: tuple[Reference, ...] = ()
    urls: Urls = Urls()
    created_at: Moment | None = None
    updated_at: Moment | None = None
    deleted_at: Moment | None = None
    stale: Stale | None = None


class SheetPrediction(Prediction):
    angle: str | None = None


class SheetPlan(Plan):
    angle: str | None = None


class Sheet(Answer):
    """The views that are being made; each becomes a reference once you approve it."""

    character: str
    version: int | None = None
    role: str | None = None
    items: tuple[SheetPrediction, ...] = ()
    cost: Cost = Cost()
    warnings: tuple[str, ...] = ()


class SheetEstimate(Answer):
    dry_run: bool = True
    character: str
    version: int | None = None
    role: str | None = None
    items: tuple[SheetPlan, ...] = ()
    cost: Cost = Cost()
    warnings: tuple[str, ...] = ()


class Upload(Answer):
    """Where a file may be sent, once: a form of `fields` with the file last, to `url`."""

    id: str
    url: str
    fields: dict[str, str] = Field(default_factory=dict)
    expires_at: Moment | None = None
    max_bytes: int | None = None
