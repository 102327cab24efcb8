"""Storyboards: scenes in their order, and the plan of them that a dry run answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from storyhook_client.answers.base import Answer, Moment, Urls
from storyhook_client.answers.pictures import (
    OPEN,
    Cancellation,
    Cost,
    Image,
    Metrics,
    PlacedReference,
    Plan,
    Problem,
)


class Choice(Answer):
    """Who chose a scene's picture, and why. `flaws` by prediction id; None if nobody looked."""

    by: str
    reasons: tuple[str, ...] = ()
    flaws: dict[str, tuple[str, ...]] | None = None
    at: Moment | None = None


class Scene(Answer):
    """`storyboard_id` and `urls` are in an event's, where it stands alone."""

    id: str
    position: int | None = None
    status: str
    caption: str | None = None
    description: str | None = None
    characters: tuple[str, ...] = ()
    prompt: str | None = None
    model: str | None = None
    seed: int | None = None
    image: Image | None = None
    chosen: str | None = None
    candidates: tuple[str, ...] = ()
    choice: Choice | None = None
    locked: bool = False
    fallbacks: tuple[str, ...] = ()
    references: tuple[PlacedReference, ...] = ()
    left_out: tuple[PlacedReference, ...] = ()
    cost: Cost = Cost()
    metrics: Metrics = Metrics()
    error: Problem | None = None
    cancellation: Cancellation | None = None
    storyboard_id: str | None = None
    urls: Urls = Urls()

    @property
    def is_over(self) -> bool:
        return self.status not in OPEN


class Progress(Answer):
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    blocked: int = 0
    running: int = 0


class Storyboard(Answer):
    id: str
    title: str = ""
    status: str
    progress: Progress = Progress()
    cost: Cost = Cost()
    character_versions: dict[str, int] = Field(default_factory=dict)
    """The version of each character that the board was planned with."""
    scenes: tuple[Scene, ...] = ()
    warnings: tuple[str, ...] = ()
    cancellation: Cancellation | None = None
    urls: Urls = Urls()
    created_at: Moment | None = None
    completed_at: Moment | None = None

    @property
    def is_over(self) -> bool:
        return self.status not in OPEN


class Share(Answer):
    """A link to a board's page. `url` and `secret` are in the answer to `share` alone."""

    id: str
    storyboard_id: str | None = None
    url: str | None = None
    secret: str | None = None
    created_at: Moment | None = None
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


class StoryboardSummary(Answer):
    """A board in a list: without its scenes."""

    id: str
    title: str = ""
    status: str
    scene_count: int | None = None
    cost: Cost = Cost()
    urls: Urls = Urls()
    created_at: Moment | None = None
    completed_at: Moment | None = None


class ScenePlan(Plan):
    """One scene of a board's plan: of each of its `candidates`; `fallbacks` are in no sum."""

    id: str
    position: int | None = None
    caption: str | None = None
    characters: tuple[str, ...] = ()
    candidates: int = 1
    fallbacks: tuple[Plan, ...] = ()


class StoryboardPlan(Answer):
    """A dry run of a whole board. `cost.estimated` is None if a scene's price is not known."""

    dry_run: bool = True
    title: str = ""
    seed: int | None = None
    scenes: tuple[ScenePlan, ...] = ()
    cost: Cost = Cost()
    warnings: tuple[str, ...] = ()


class Event(Answer):
    """Something that has happened, numbered from 1 without gaps.

    A board's feed says `at`, a callback `timestamp`: when it happened, and when it was written.
    """

    sequence: int | None = None
    type: str
    at: Moment | None = None
    timestamp: Moment | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class News(Answer):
    """What a reader of a board's feed was not told yet; `next` goes on from there."""

    items: tuple[Event, ...] = ()
    next: str | None = None
