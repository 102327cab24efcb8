"""Storyboards: accept one, read it, and put it together when its scenes are over."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from storyhook.domain import callback as callbacks
from storyhook.domain import views
from storyhook.domain.errors import FieldError, NotFound, StoryhookError, WorkflowUnavailable
from storyhook.domain.ids import new_id
from storyhook.domain.plan import Plan, plan_scene, scene_seed
from storyhook.domain.pricing import add
from storyhook.domain.storyboard import (
    BoardScene,
    BoardStatus,
    SceneState,
    Storyboard,
    final_status,
)
from storyhook.usecases.fallback import (
    check_names,
    check_size,
    plan_fallbacks,
    queue_seconds,
)
from storyhook.usecases.request import (
    Casting,
    check_callback_url,
    new_prediction,
    random_seed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from storyhook.domain.access import ApiKey
    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.prediction import Prediction
    from storyhook.domain.requests import CharacterRequest, StoryboardRequest
    from storyhook.domain.story import Scene
    from storyhook.ports import (
        Clock,
        Entropy,
        Images,
        Predictions,
        ProviderKeys,
        Storyboards,
        UrlGuard,
        Workflow,
    )
    from storyhook.usecases.announce import Outbox
    from storyhook.usecases.characters import PreparedCharacter, SaveCharacter
    from storyhook.usecases.fallback import PlannedFallbacks

# When the reconciler looks after a board: its workflow should have finished it by itself.
BOARD_PATIENCE = timedelta(minutes=2)
_MAX_WARNINGS = 50


@dataclass(frozen=True)
class ReadStoryboard:
    storyboards: Storyboards
    predictions: Predictions

    def __call__(self, tenant: str, storyboard_id: str) -> tuple[Storyboard, list[SceneState]]:
        """The board with its scenes in order; raises NotFound, also for another's board."""
        board = self.storyboards.get(storyboard_id)
        if board is None or board.tenant != tenant:
            raise NotFound(f"There is no storyboard {storyboard_id!r}.")
        return board, self.states(storyboard_id)

    def states(self, storyboard_id: str) -> list[SceneState]:
        scenes = self.storyboards.scenes(storyboard_id)
        rows = self.predictions.get_many([p for scene in scenes for p in scene.predictions])
        return [SceneState(scene, tuple(rows[p] for p in scene.predictions)) for scene in scenes]


@dataclass(frozen=True, slots=True)
class BoardPlan:
    """A board as it would be made: a plan for each scene, in order."""

    request: StoryboardRequest
    seed: int
    plans: tuple[Plan, ...]
    fallbacks: tuple[PlannedFallbacks, ...]
    brought: tuple[PreparedCharacter, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        pairs = zip(self.plans, self.fallbacks, strict=True)
        return _warnings([(*plan.warnings, *fallback.warnings) for plan, fallback in pairs])

    @property
    def cost(self) -> Decimal | None:
        """USD, or None as soon as one price is unknown."""
        return add(plan.price.total for plan in self.plans)


@dataclass(frozen=True)
class CreateStoryboard:
    storyboards: Storyboards
    casting: Casting
    save_character: SaveCharacter
    workflow: Workflow
    catalogue: Catalogue
    provider_keys: ProviderKeys
    guard: UrlGuard
    clock: Clock
    entropy: Entropy

    def plan(self, key: ApiKey, request: StoryboardRequest) -> BoardPlan:
        """What would be sent for each scene, and its price. Writes and pays nothing."""
        check_callback_url(self.guard, request.callback_url)
        self.catalogue.find(request.model)
        check_names(self.catalogue, request)
        brought = self._prepare(key.tenant, request.characters)
        cast = self.casting.load(
            key.tenant,
            request.scenes,
            brought={prepared.character.id: prepared.character for prepared in brought},
        )
        check_size(request, cast)
        seed = request.seed if request.seed is not None else random_seed(self.entropy)
        plans = tuple(self._plan(request, scene, cast, seed) for scene in request.scenes)
        fallbacks = tuple(
            plan_fallbacks(
                self.catalogue,
                request,
                scene,
                [cast[name] for name in scene.characters],
                plan,
                _seed_of(request, scene, seed),
            )
            for scene, plan in zip(request.scenes, plans, strict=True)
        )
        return BoardPlan(request, seed, plans, fallbacks, tuple(brought))

    def __call__(
        self, key: ApiKey, request: StoryboardRequest
    ) -> tuple[Storyboard, list[SceneState]]:
        """Check and plan everything, then write every row, then start the workflow."""
        planned = self.plan(key, request)
        plans, fallbacks, brought = planned.plans, planned.fallbacks, planned.brought
        for provider in dict.fromkeys(plan.provider for plan in plans):
            self.provider_keys.check(provider)

        now = self.clock()
        board_id = new_id("sb", now, self.entropy(10))
        rows: list[Prediction] = []
        scenes: list[BoardScene] = []
        for scene, plan, fallback in zip(request.scenes, plans, fallbacks, strict=True):
            row = new_prediction(
                plan,
                key=key,
                now=now,
                entropy=self.entropy,
                deadline_seconds=self.catalogue.models[plan.model].deadline_seconds,
                queue_seconds=queue_seconds(request, scene),
            )
            row = replace(row, storyboard_id=board_id, scene_id=scene.id, candidate=1)
            rows.append(replace(row, next_model=fallback.first))
            scenes.append(
                BoardScene(
                    scene.id,
                    scene.position,
                    scene.caption,
                    scene.description,
                    scene.characters,
                    (row.id,),
                    fallback.all,
                )
            )
        board = Storyboard(
            id=board_id,
            tenant=key.tenant,
            key_id=key.id,
            title=request.title,
            status=BoardStatus.RUNNING,
            scene_count=len(scenes),
            cost_estimated=planned.cost,
            warnings=planned.warnings,
            created_at=now,
            due_at=now + BOARD_PATIENCE,
            callback_url=request.callback_url,
        )
        for prepared in brought:
            self.save_character.save(prepared)
        self.storyboards.add(board, scenes, rows)
        # It is accepted now, whatever happens: an error here would make the caller pay twice.
        with suppress(WorkflowUnavailable):  # The board is due; the reconciler starts it.
            self.workflow.start(board.id, [row.id for row in rows])
        states = [SceneState(scene, (row,)) for scene, row in zip(scenes, rows, strict=True)]
        return board, states

    def _prepare(
        self, tenant: str, requests: Sequence[CharacterRequest]
    ) -> list[PreparedCharacter]:
        prepared = []
        for index, request in enumerate(requests):
            try:
                prepared.append(self.save_character.prepare(tenant, request))
            except StoryhookError as error:
                error.errors = tuple(
                    FieldError(f"characters[{index}].{e.path}", e.message) for e in error.errors
                )
                raise
        return prepared

    def _plan(
        self, request: StoryboardRequest, scene: Scene, cast: dict[str, Any], seed: int
    ) -> Plan:
        try:
            return plan_scene(
                self.catalogue,
                scene.model or request.model,
                scene,
                [cast[name] for name in scene.characters],
                request.look,
                seed=_seed_of(request, scene, seed),
            )
        except StoryhookError as error:
            here = f"scenes[{scene.position - 1}]"
            error.errors = tuple(
                # The aspect ratio is the board's own; anything else is the scene's.
                e if e.path == "aspect_ratio" else FieldError(f"{here}.{e.path}", e.message)
                for e in error.errors
            ) or (FieldError(here, error.detail),)
            raise


def _seed_of(request: StoryboardRequest, scene: Scene, board_seed: int) -> int:
    if scene.seed is not None:
        return scene.seed
    return board_seed if request.same_seed else scene_seed(board_seed, scene.position)


def _warnings(scenes: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Each warning once, with the number of scenes: 1,000 scenes must not make 1,000 of them."""
    counted = Counter(warning for warnings in scenes for warning in warnings)
    texts = [f"{text} ({count} of {len(scenes)} scenes)" for text, count in counted.items()]
    if len(texts) > _MAX_WARNINGS:
        more = len(texts) - _MAX_WARNINGS
        texts[_MAX_WARNINGS:] = [f"{more} more warnings of these kinds are left out."]
    return tuple(texts)


@dataclass(frozen=True)
class AssembleStoryboard:
    storyboards: Storyboards
    read: ReadStoryboard
    images: Images
    outbox: Outbox
    clock: Clock
    entropy: Entropy

    def __call__(self, storyboard_id: str) -> Storyboard:
        """End a board whose scenes are over: its status, and the callback. Repeatable."""
        board = self.storyboards.get(storyboard_id)
        if board is None:
            raise NotFound(f"There is no storyboard {storyboard_id!r}.")
        states = self.read.states(storyboard_id)
        if board.status is BoardStatus.RUNNING and not all(state.over for state in states):
            # The workflow gave up a scene that is alive, perhaps paid: its row decides. The board
            # stays due, and the reconciler finishes it.
            return board
        return self.finish(board, states)

    def finish(self, board: Storyboard, states: Sequence[SceneState]) -> Storyboard:
        """Write the end of a board whose scenes are over, and queue its callback."""
        if board.status is BoardStatus.RUNNING:
            now = self.clock()
            ended = replace(
                board,
                status=final_status(states),
                completed_at=now,
                due_at=now + BOARD_PATIENCE if board.callback_url else None,
                callback_id=new_id("cb", now, self.entropy(10)) if board.callback_url else None,
            )
            if not self.storyboards.finish(ended):
                ended = self.storyboards.get(board.id) or ended
            board = ended
        if board.callback_url and board.callback_id:
            self.outbox.put(
                callback_id=board.callback_id,
                tenant=board.tenant,
                key_id=board.key_id,
                event=callbacks.STORYBOARD_COMPLETED,
                subject_id=board.id,
                url=board.callback_url,
                data=views.storyboard(board, states, self.images.sign),
            )
        if board.due_at is not None:
            self.storyboards.announced(board.id)
        return board
