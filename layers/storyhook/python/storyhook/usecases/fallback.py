"""Other models for a scene: planned with its board, tried when a prediction gives no picture."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from storyhook.domain.errors import FieldError, NotFound, StoryhookError, UnknownModel
from storyhook.domain.fallback import Fallback, Fallbacks, NextModel
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.plan_views import plan_input
from storyhook.domain.prediction import QUEUE_PATIENCE, Prediction, Status
from storyhook.usecases.request import webhook_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.requests import StoryboardRequest
    from storyhook.domain.story import Character, Scene
    from storyhook.ports import Clock, Entropy, Predictions, Storyboards

_SECONDS_PER_SCENE_AHEAD = 15


def check_names(catalogue: Catalogue, request: StoryboardRequest) -> None:
    """Raises UnknownModel with the place of every fallback that is not in the catalogue."""
    lists = [("", request.fallback_models)]
    lists += [(f"scenes[{s.position - 1}].", s.fallback_models or ()) for s in request.scenes]
    errors = []
    for place, names in lists:
        for index, name in enumerate(names):
            try:
                catalogue.find(name)
            except UnknownModel as error:
                errors.append(FieldError(f"{place}fallback_models[{index}]", error.detail))
    if errors:
        raise UnknownModel(errors[0].message, tuple(errors))


def queue_seconds(request: StoryboardRequest, scene: Scene) -> int:
    """How long a prediction of the scene may wait to be sent: scenes queue behind one another."""
    own = scene.queue_timeout_seconds
    timeout = request.queue_timeout_seconds if own is None else own
    return timeout + scene.position * _SECONDS_PER_SCENE_AHEAD


@dataclass(frozen=True)
class PlannedFallbacks:
    """`first` and `all` are None when the scene has no fallback."""

    first: NextModel | None
    all: Fallbacks | None
    warnings: tuple[str, ...]
    plans: tuple[Plan, ...] = ()


def plan_fallbacks(
    catalogue: Catalogue,
    request: StoryboardRequest,
    scene: Scene,
    cast: Sequence[Character],
    plan: Plan,
    seed: int,
) -> PlannedFallbacks:
    """The plans of a scene's fallbacks, each made for its own model's limits.

    `plan` is the scene's first one. A model that cannot draw the scene is left out, with a warning.
    """
    names = request.fallback_models if scene.fallback_models is None else scene.fallback_models
    plans: list[Plan] = []
    warnings: list[str] = []
    for name in names:
        try:
            found = plan_scene(catalogue, name, scene, cast, request.look, seed=seed, lenient=True)
        except StoryhookError as error:
            warnings.append(f"{name} is left out as a fallback: {error.detail}")
            continue
        if found.model in {plan.model, *(planned.model for planned in plans)}:
            warnings.append(f"{found.model} is tried once, so it is left out as a fallback.")
            continue
        plans.append(found)
        new = set(found.warnings) - set(plan.warnings)
        warnings += [f"As a fallback: {text}" for text in found.warnings if text in new]
    if not plans:
        return PlannedFallbacks(None, None, tuple(warnings))
    on_block = scene.fallback_on_block
    on_block = request.fallback_on_block if on_block is None else on_block
    fallbacks = Fallbacks(
        tuple(_stored(catalogue, planned) for planned in plans), queue_seconds(request, scene)
    )
    first = NextModel(scene.position, 0, on_block)
    return PlannedFallbacks(first, fallbacks, tuple(warnings), tuple(plans))


def _stored(catalogue: Catalogue, plan: Plan) -> Fallback:
    return Fallback(
        model=plan.model,
        provider=plan.provider,
        endpoint=plan.endpoint,
        input=plan_input(plan),
        seed=plan.seed,
        cost_estimated=plan.price.total,
        deadline_seconds=catalogue.models[plan.model].deadline_seconds,
    )


@dataclass(frozen=True)
class MoveOn:
    """Makes the prediction that replaces one which gave no picture.

    That it is replaced, and by which id, stands on the row that ended, written by the same write.
    All else follows from that row, so this may be cut short anywhere and done again.
    """

    predictions: Predictions
    storyboards: Storyboards
    clock: Clock
    entropy: Entropy

    def __call__(self, row: Prediction) -> None:
        """Write the row that replaces `row`, list it with its scene; then `row` owes nothing."""
        board_id, at = row.storyboard_id, row.next_model
        scene = self.storyboards.scene(board_id, at.position) if board_id and at else None
        if not (board_id and at and scene and scene.fallbacks and row.replaced_by):
            raise NotFound(f"There is nothing to replace {row.id} with.")
        with suppress(FileExistsError):  # Made by a try that was cut short.
            self.predictions.add(self._successor(row, row.replaced_by, scene.fallbacks, at))
        self.storyboards.attach(board_id, scene, row.replaced_by)
        self.predictions.announced(row.id)

    def _successor(
        self, row: Prediction, id_: str, fallbacks: Fallbacks, at: NextModel
    ) -> Prediction:
        plan, then = fallbacks.step(at)
        now = self.clock()
        queue = timedelta(seconds=fallbacks.queue_seconds)
        return Prediction(
            id=id_,
            tenant=row.tenant,
            key_id=row.key_id,
            status=Status.QUEUED,
            model=plan.model,
            provider=plan.provider,
            endpoint=plan.endpoint,
            token=webhook_secret(self.entropy),
            input=plan.input,
            seed=plan.seed,
            cost_estimated=plan.cost_estimated,
            created_at=now,
            deadline_at=now + queue + timedelta(seconds=plan.deadline_seconds),
            due_at=now + min(queue, QUEUE_PATIENCE),
            storyboard_id=row.storyboard_id,
            scene_id=row.scene_id,
            candidate=row.candidate,
            # Whoever ends the last of the chain tells the workflow.
            task_token=row.task_token,
            replaces=row.id,
            next_model=then,
        )
