"""Other models for a scene, planned with its board; `move_on` tries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.errors import FieldError, StoryhookError, TooManyReferences, UnknownModel
from storyhook.domain.fallback import Fallbacks, NextModel
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.plan_views import stored
from storyhook.domain.story import MAX_REFERENCES_ON_STAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.requests import StoryboardRequest
    from storyhook.domain.story import Character, Scene

_SECONDS_PER_PICTURE_AHEAD = 15


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


def names_of(request: StoryboardRequest, scene: Scene) -> tuple[str, ...]:
    """The fallbacks that are asked for: a scene's own list replaces the board's."""
    return request.fallback_models if scene.fallback_models is None else scene.fallback_models


def check_size(request: StoryboardRequest, cast: Mapping[str, Character]) -> None:
    """Raises TooManyReferences for a board whose plans would not fit a function's memory."""
    on_stage = 0
    for scene in request.scenes:
        names = names_of(request, scene)
        shown = sum(len(cast[name].references) for name in scene.characters)
        on_stage += shown * (request.candidates_of(scene) + len(names))
    if on_stage > MAX_REFERENCES_ON_STAGE:
        detail = (
            f"The scenes and their fallbacks show {on_stage} references in all, "
            f"{MAX_REFERENCES_ON_STAGE} are allowed; split the board, or name fewer fallbacks."
        )
        raise TooManyReferences(detail, (FieldError("scenes", detail),))


def queue_seconds(request: StoryboardRequest, scene: Scene) -> int:
    """How long a prediction of the scene may wait to be sent: scenes queue behind one another."""
    own = scene.queue_timeout_seconds
    timeout = request.queue_timeout_seconds if own is None else own
    ahead = scene.position * max(request.candidates, request.candidates_of(scene))
    return timeout + ahead * _SECONDS_PER_PICTURE_AHEAD


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
    names = names_of(request, scene)
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
        tuple(stored(planned) for planned in plans), queue_seconds(request, scene)
    )
    first = NextModel(scene.position, 0, on_block, plans[0].price.total)
    return PlannedFallbacks(first, fallbacks, tuple(warnings), tuple(plans))
