"""Choose a scene's picture among its candidates, and let the caller choose another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storyhook.domain.access import owned
from storyhook.domain.choosing import Seen, judge
from storyhook.domain.errors import FieldError, NotFound, NotSelectable, SceneLocked
from storyhook.domain.storyboard import Choice, ChosenBy, SceneState

if TYPE_CHECKING:
    from storyhook.domain.prediction import Prediction
    from storyhook.ports import Clock, Looks, Predictions, Storyboards
    from storyhook.usecases.tell import Tell


@dataclass(frozen=True)
class ChooseCandidate:
    """The workflow's step after the last candidate of a scene. Repeatable: the first choice stays.

    Nothing is paid here, and nothing is lost when it fails: `assemble` then takes the first.
    """

    storyboards: Storyboards
    predictions: Predictions
    looks: Looks
    tell: Tell
    clock: Clock

    def __call__(self, storyboard_id: str, position: int) -> SceneState:
        """The scene as it is then; raises NotFound."""
        scene = self.storyboards.scene(storyboard_id, position)
        if scene is None:
            raise NotFound(f"There is no scene {position} of storyboard {storyboard_id!r}.")
        state = SceneState.of(scene, self.predictions.get_many(scene.predictions))
        if state.undecided:
            choice, checks = self._look(state)
            decided = self.storyboards.decide(storyboard_id, position, choice, checks)
            if decided is None:  # Somebody chose meanwhile.
                decided = self.storyboards.scene(storyboard_id, position) or scene
            state = replace(state, scene=decided)
        # Also of what is chosen already: whoever did that may have died before they told.
        self.tell.scene_of(state.predictions[-1])
        return state

    def _look(self, state: SceneState) -> tuple[Choice, dict[str, Any]]:
        rows = state.succeeded
        given = {ref["key"] for row in rows for ref in row.input["references"]}
        references = [look for key in sorted(given) if (look := self.looks.at(key))]
        candidates = [(row.id, self._seen(row)) for row in rows]
        verdict = judge(candidates, references, _ratio(rows[0]))
        choice = Choice(verdict.best, ChosenBy.CHECKS, verdict.reasons, self.clock())
        return choice, {each: list(flaws) for each, flaws in verdict.flaws.items()}

    def _seen(self, row: Prediction) -> Seen | None:
        """What its first picture looks like: the one that a scene shows."""
        return self.looks.at(row.images[0].key) if row.images else None


def _ratio(row: Prediction) -> float | None:
    width, _, height = str(row.input["aspect_ratio"]).partition(":")
    return int(width) / int(height) if height else None


@dataclass(frozen=True)
class SelectCandidate:
    """What the caller says of a scene's picture; it stays, whatever the checks say later."""

    storyboards: Storyboards
    predictions: Predictions
    clock: Clock

    def select(
        self, tenant: str, storyboard_id: str, scene_id: str, prediction_id: str
    ) -> SceneState:
        """Take this candidate. Raises NotFound, NotSelectable, SceneLocked."""
        while True:
            state = self._find(tenant, storyboard_id, scene_id)
            shown = state.chosen and state.chosen.id
            if state.scene.locked_at and prediction_id != shown:
                raise SceneLocked(
                    f"{scene_id!r} is locked, so its picture stays; unlock it to choose another."
                )
            if prediction_id not in {row.id for row in state.succeeded}:
                detail = (
                    f"{prediction_id!r} is no finished picture of this scene; choose one of its "
                    "candidates that succeeded."
                )
                raise NotSelectable(detail, (FieldError("prediction", detail),))
            now = self.clock()
            choice = Choice(prediction_id, ChosenBy.CALLER, (), now)
            known = state.scene.choice
            if known and (known.prediction_id, known.by) == (choice.prediction_id, choice.by):
                return state
            changes = {"choice": choice, "decided_at": state.scene.decided_at or now}
            changed = self.storyboards.choose(storyboard_id, state.scene, changes)
            if changed:  # Else somebody chose meanwhile.
                return replace(state, scene=changed)

    def lock(self, tenant: str, storyboard_id: str, scene_id: str, *, locked: bool) -> SceneState:
        """Keep the scene as it is, or let it be made anew again. Raises NotFound."""
        while True:
            state = self._find(tenant, storyboard_id, scene_id)
            if (state.scene.locked_at is not None) is locked:
                return state
            changes = {"locked_at": self.clock() if locked else None}
            changed = self.storyboards.choose(storyboard_id, state.scene, changes)
            if changed:
                return replace(state, scene=changed)

    def _find(self, tenant: str, storyboard_id: str, scene_id: str) -> SceneState:
        board = self.storyboards.get(storyboard_id)
        owned(board, tenant, f"storyboard {storyboard_id!r}")
        for scene in self.storyboards.scenes(storyboard_id):
            if scene.id == scene_id:
                return SceneState.of(scene, self.predictions.get_many(scene.predictions))
        raise NotFound(f"There is no scene {scene_id!r} in this storyboard.")
