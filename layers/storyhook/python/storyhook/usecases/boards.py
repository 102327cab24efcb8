"""Storyboards: check and plan one, then accept it. `assemble` reads it and ends it."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storyhook.domain.callback import SCENE_COMPLETED, STORYBOARD_COMPLETED
from storyhook.domain.errors import FieldError, StoryhookError, WorkflowUnavailable
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.plan_views import stored
from storyhook.domain.pricing import add
from storyhook.domain.renewing import details_of, kept_look
from storyhook.domain.seeds import scene_seed
from storyhook.domain.storyboard import (
    BoardScene,
    BoardStatus,
    SceneState,
    Storyboard,
)
from storyhook.usecases.allowance import Wanted
from storyhook.usecases.assemble import BOARD_PATIENCE
from storyhook.usecases.fallback import (
    check_names,
    check_size,
    plan_fallbacks,
    queue_seconds,
)
from storyhook.usecases.request import (
    Casting,
    check_callback_url,
    random_seed,
    row_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from storyhook.domain.access import ApiKey
    from storyhook.domain.budget import Reservation
    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.prediction import Prediction
    from storyhook.domain.requests import CharacterRequest, StoryboardRequest
    from storyhook.domain.story import Scene
    from storyhook.ports import Clock, Entropy, ProviderKeys, Storyboards, UrlGuard, Workflow
    from storyhook.usecases.allowance import Allowance
    from storyhook.usecases.characters import PreparedCharacter, SaveCharacter
    from storyhook.usecases.fallback import PlannedFallbacks

_MAX_WARNINGS = 50
_KIND = "sb"


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
    def providers(self) -> set[str]:
        """Whoever may be asked."""
        return {plan.provider for plan in (*self.plans, *self.others)}

    @property
    def others(self) -> tuple[Plan, ...]:
        """What may be tried after `plans`."""
        return tuple(plan for fallback in self.fallbacks for plan in fallback.plans)

    @property
    def candidates(self) -> tuple[int, ...]:
        """Of each scene, how many pictures are made."""
        return tuple(map(self.request.candidates_of, self.request.scenes))

    @property
    def predictions(self) -> tuple[Plan, ...]:
        """The plan of every prediction; a scene's candidates differ in their seeds alone."""
        pairs = zip(self.plans, self.candidates, strict=True)
        return tuple(plan for plan, count in pairs for _ in range(count))

    @property
    def cost(self) -> Decimal | None:
        """USD, or None as soon as one price is unknown."""
        return add(plan.price.total for plan in self.predictions)


@dataclass(frozen=True)
class CreateStoryboard:
    storyboards: Storyboards
    casting: Casting
    save_character: SaveCharacter
    workflow: Workflow
    allowance: Allowance
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

    def made(self, origin: Origin) -> Storyboard | None:
        """What was accepted from this origin, if anything was."""
        return self.storyboards.get(origin.id(_KIND))

    def __call__(
        self, key: ApiKey, request: StoryboardRequest, origin: Origin
    ) -> tuple[Storyboard, list[SceneState]]:
        """Check and plan everything, then write every row, then start the workflow."""
        planned = self.plan(key, request)
        for provider in planned.providers:
            self.provider_keys.check(provider)

        wanted = Wanted(planned.predictions, request.max_cost, planned.others, origin.id(_KIND))
        with self.allowance(key, wanted) as reservation:
            board, scenes, rows = self._rows(key, planned, origin, reservation)
            for prepared in planned.brought:
                self.save_character.save(prepared)
            self.storyboards.add(board, scenes, rows, reservation)
        # It is accepted now, whatever happens: an error here would make the caller pay twice.
        with suppress(WorkflowUnavailable):  # The board is due; the reconciler starts it.
            self.workflow.start(board.id, scenes)
        made = {row.id: row for row in rows}
        return board, [SceneState.of(scene, made) for scene in scenes]

    def _rows(
        self, key: ApiKey, planned: BoardPlan, origin: Origin, reservation: Reservation
    ) -> tuple[Storyboard, list[BoardScene], list[Prediction]]:
        request, plans, now = planned.request, planned.plans, self.clock()
        board_id = origin.id(_KIND)
        rows: list[Prediction] = []
        scenes: list[BoardScene] = []
        for scene, plan, fallback in zip(request.scenes, plans, planned.fallbacks, strict=True):
            kept = stored(plan)
            candidates = [
                replace(
                    row_of(
                        kept.of_candidate(number),
                        key=key,
                        now=now,
                        origin=origin.part(_part(scene, number)),
                        queue_seconds=queue_seconds(request, scene),
                    ),
                    storyboard_id=board_id,
                    scene_id=scene.id,
                    candidate=number,
                    next_model=fallback.first,
                    max_paid_attempts=request.max_paid_attempts,
                    hold=reservation.hold(plan.price.total),
                    **_told(request, scene),
                )
                for number in range(1, request.candidates_of(scene) + 1)
            ]
            rows += candidates
            scenes.append(
                BoardScene(
                    scene.id,
                    scene.position,
                    scene.caption,
                    scene.description,
                    scene.characters,
                    tuple(row.id for row in candidates),
                    fallback.all,
                    details_of(scene),
                    chooses=len(candidates) > 1,
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
            callback_events=request.callback_events if request.callback_url else None,
            character_versions={
                name: version for plan in plans for name, version in plan.character_versions.items()
            },
            model=request.model,
            look=kept_look(request.look),
            max_cost=request.max_cost,
        )
        return board, scenes, rows

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


def _part(scene: Scene, number: int) -> str:
    """What the id of a scene's candidate is drawn from."""
    return f"scene {scene.position}" if number == 1 else f"scene {scene.position} #{number}"


def _told(request: StoryboardRequest, scene: Scene) -> dict[str, Any]:
    """What a scene's predictions must know to tell of themselves or of it; mostly nothing."""
    events = tuple(event for event in request.callback_events if event != STORYBOARD_COMPLETED)
    if request.callback_url is None or not events:
        return {}
    told = {"callback_url": request.callback_url, "callback_events": events}
    return {**told, "scene_position": scene.position} if SCENE_COMPLETED in events else told


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
