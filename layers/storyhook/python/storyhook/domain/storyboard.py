"""A storyboard: ordered scenes, each with its predictions. Its status follows from theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from storyhook.domain.callback import STORYBOARD_COMPLETED, tells
from storyhook.domain.fallback import Fallbacks
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.pricing import add


class BoardStatus(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELED = "canceled"


class ChosenBy(StrEnum):
    """Who chose a scene's picture. `ORDER`: nobody could look at the candidates."""

    CHECKS = "checks"
    ORDER = "order"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a scene's predictions gives its picture, by whom and why, a sentence each."""

    prediction_id: str
    by: ChosenBy
    reasons: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class BoardScene:
    """A scene of a board and the predictions made for it: one per candidate, then fallbacks.

    `details`: what else was asked for, as fields of a `Scene`; None where that was nothing.
    `chooses`: whether its picture is chosen among several; `choice` is the newest choice then, and
    `decided_at` the time of the first: when the scene was over. `checks` is what was seen of its
    candidates, by prediction id. `locked_at`: since when the caller keeps the picture as it is.
    """

    id: str
    position: int
    caption: str | None
    description: str
    characters: tuple[str, ...]
    predictions: tuple[str, ...]
    fallbacks: Fallbacks | None = None
    details: Mapping[str, Any] | None = None
    chooses: bool = False
    choice: Choice | None = None
    decided_at: datetime | None = None
    checks: Mapping[str, Any] | None = None
    locked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """That a storyboard was planned with this version of a character."""

    tenant: str
    character_id: str
    storyboard_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Storyboard:
    """`sequence` counts its events that were announced; the last one's number, 0 before any.

    `character_versions`: who is on stage, by id the version that all its scenes were planned with.
    `model` and `look` (fields of a `Look`) are what its scenes share. None on boards older than
    these fields.
    """

    id: str
    tenant: str
    title: str
    status: BoardStatus
    scene_count: int
    cost_estimated: Decimal | None
    warnings: tuple[str, ...]
    created_at: datetime
    due_at: datetime | None
    callback_url: str | None = None
    callback_id: str | None = None
    key_id: str | None = None
    completed_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    callback_events: tuple[str, ...] | None = None
    sequence: int = 0
    character_versions: Mapping[str, int] | None = None
    model: str | None = None
    look: Mapping[str, Any] | None = None
    max_cost: Decimal | None = None

    def tells(self, event: str) -> bool:
        """Whether `event`, of the board or of one of its parts, is owed to its callback URL."""
        return tells(
            self.callback_url, self.callback_events, event, unless_chosen=STORYBOARD_COMPLETED
        )


@dataclass(frozen=True, slots=True)
class SceneState:
    """A scene with its predictions as they stand. `chosen` is the one whose picture counts."""

    scene: BoardScene
    predictions: tuple[Prediction, ...]

    @classmethod
    def of(cls, scene: BoardScene, rows: Mapping[str, Prediction]) -> "SceneState":
        """The scene with those of `rows`, by id, that are its own."""
        return cls(scene, tuple(rows[each] for each in scene.predictions))

    @property
    def succeeded(self) -> tuple[Prediction, ...]:
        return tuple(p for p in self.predictions if p.status is Status.SUCCEEDED)

    @property
    def chosen(self) -> Prediction | None:
        """None also while several may still come, or are not looked at yet."""
        choice = self.scene.choice
        for prediction in self.succeeded:
            if choice is None and not self.scene.chooses:
                return prediction
            if choice and prediction.id == choice.prediction_id:
                return prediction
        return None

    @property
    def representative(self) -> Prediction:
        """The prediction that stands for the scene: the chosen one, an open one, or the last."""
        still_open = [p for p in self.predictions if not p.status.terminal]
        return self.chosen or (still_open[0] if still_open else self.predictions[-1])

    @property
    def costs(self) -> tuple[Decimal | None, Decimal | None]:
        """USD, estimated and actual: of all its candidates, or of what stands for its only one."""
        row = self.representative
        if not self.scene.chooses:
            return row.cost_estimated, row.cost_actual
        first = [p.cost_estimated for p in self.predictions if p.replaces is None]
        return add(first), add(p.cost_actual for p in self.succeeded) if self.succeeded else None

    @property
    def drawn(self) -> bool:
        """Whether no prediction comes any more, also none that replaces a failed one."""
        known = {None, *(prediction.id for prediction in self.predictions)}
        return all(p.status.terminal and p.replaced_by in known for p in self.predictions)

    @property
    def undecided(self) -> bool:
        """Whether all is drawn, and one of its pictures has to be chosen."""
        waits = self.scene.chooses and self.scene.choice is None
        return waits and self.drawn and bool(self.succeeded)

    @property
    def over(self) -> bool:
        """Whether nothing comes any more, and its picture is chosen, if it has one."""
        return self.drawn and not self.undecided

    @property
    def completed_at(self) -> datetime | None:
        """When it was over; None while something may still come."""
        ends = [end for end in (self.drawn_at, self.scene.decided_at) if end]
        return max(ends) if self.over and ends else None

    @property
    def drawn_at(self) -> datetime | None:
        """When the last prediction so far ended."""
        return max((p.completed_at for p in self.predictions if p.completed_at), default=None)

    @property
    def status(self) -> str:
        """The public status: that of its representative, or queued until a replacement stands."""
        if self.undecided:
            return Status.STORING.public
        status = self.representative.status
        waits = status.terminal and self.chosen is None and not self.over
        return Status.QUEUED.public if waits else status.public

    @property
    def fallbacks_left(self) -> tuple[str, ...]:
        """Ids of the models that may still be tried, in order."""
        at, fallbacks = self.representative.next_model, self.scene.fallbacks
        if self.over or at is None or fallbacks is None:
            return ()
        return tuple(plan.model for plan in fallbacks.plans[at.index :])


def canceled(states: Sequence[SceneState]) -> int:
    """How many scenes ended canceled."""
    return sum(state.over and state.status == Status.CANCELED.public for state in states)


def final_status(states: Sequence[SceneState], *, cancel_requested: bool = False) -> BoardStatus:
    """How a board ends whose scenes are over; RUNNING while one is not.

    A board that was asked to cancel has been canceled as soon as one of its scenes was.
    """
    if not all(state.over for state in states):
        return BoardStatus.RUNNING
    if cancel_requested and canceled(states):
        return BoardStatus.CANCELED
    succeeded = sum(state.chosen is not None for state in states)
    if succeeded == len(states):
        return BoardStatus.SUCCEEDED
    if succeeded:
        return BoardStatus.PARTIAL
    if canceled(states) == len(states):
        return BoardStatus.CANCELED
    return BoardStatus.FAILED


def progress(states: Sequence[SceneState]) -> dict[str, int]:
    """Scenes by what became of them; `failed` holds canceled and expired ones too."""
    counts = {"total": len(states), "succeeded": 0, "failed": 0, "blocked": 0, "running": 0}
    for state in states:
        match state.status:
            case "succeeded" | "blocked" as status:
                counts[status] += 1
            case "queued" | "running":
                counts["running"] += 1
            case _:
                counts["failed"] += 1
    return counts


def actual_cost(states: Sequence[SceneState]) -> Decimal | None:
    """What has been paid so far; None when one paid amount is unknown."""
    return add(
        prediction.cost_actual
        for state in states
        for prediction in state.predictions
        if prediction.status is Status.SUCCEEDED
    )
