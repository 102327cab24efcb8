"""A character sheet: its missing angles, each a prediction like any other, sent through the queue.

What comes of it is only a picture; that it becomes a reference is for the caller to say.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storyhook.domain.errors import ProviderKeyMissing
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.plan_views import stored
from storyhook.domain.pricing import add
from storyhook.domain.sheet import angles_of, look_of, role_of, scene_of
from storyhook.domain.story import ANGLES
from storyhook.usecases.allowance import Wanted
from storyhook.usecases.characters import current
from storyhook.usecases.request import KIND, check_callback_url, random_seed, row_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from storyhook.domain.access import ApiKey
    from storyhook.domain.budget import Reservation
    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.prediction import Prediction
    from storyhook.domain.requests import SheetRequest
    from storyhook.domain.story import Character
    from storyhook.ports import Clock, Entropy, Predictions, ProviderKeys, Submissions, UrlGuard
    from storyhook.ports.library import Characters
    from storyhook.usecases.allowance import Allowance

# Unless a model is named: the first whose provider has a key.
_MODELS = ("fal-flux2-pro-edit", "rep-flux2-pro")


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """What would be made: a plan for each angle."""

    character: Character
    role: str
    plans: tuple[tuple[str, Plan], ...]

    @property
    def cost(self) -> Decimal | None:
        """USD, or None as soon as one price is unknown."""
        return add(plan.price.total for _, plan in self.plans)

    @property
    def warnings(self) -> tuple[str, ...]:
        texts = [text for _, plan in self.plans for text in plan.warnings]
        if not self.character.references and len(self.plans) > 1:
            texts.append(
                f"{self.character.id} has no reference, so each angle is drawn from words alone "
                "and may show somebody else; make the front first, and the others from it."
            )
        return tuple(dict.fromkeys(texts))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was accepted: a prediction for each angle."""

    character: Character
    role: str
    rows: tuple[Prediction, ...]
    warnings: tuple[str, ...]

    @property
    def cost(self) -> Decimal | None:
        """USD, or None as soon as one price is unknown."""
        return add(row.cost_estimated for row in self.rows)


@dataclass(frozen=True)
class MakeSheet:
    characters: Characters
    predictions: Predictions
    submissions: Submissions
    allowance: Allowance
    catalogue: Catalogue
    provider_keys: ProviderKeys
    guard: UrlGuard
    clock: Clock
    entropy: Entropy

    def plan(self, tenant: str, character_id: str, request: SheetRequest) -> SheetPlan:
        """What would be sent for each angle, and its price. Writes and pays nothing."""
        check_callback_url(self.guard, request.callback_url)
        name = request.model or self._default_model()
        model = self.catalogue.find(name)
        character = current(self.characters, tenant, character_id)
        role = role_of(character, request.role)
        look = look_of(character, role, request.style, model)
        seed = request.seed if request.seed is not None else random_seed(self.entropy)

        def plan(angle: str) -> Plan:
            scene = scene_of(character, role, angle)
            # One seed for all: what the views share is what the sheet is for.
            return plan_scene(self.catalogue, name, scene, [character], look, seed=seed)

        angles = angles_of(character, role, request.angles)
        return SheetPlan(character, role, tuple((angle, plan(angle)) for angle in angles))

    def made(self, tenant: str, character_id: str, origin: Origin) -> Sheet | None:
        """What was accepted from this origin, if anything was. Its warnings were told then.

        Also when the character has been deleted since: its pictures are made all the same.
        """
        found = self.predictions.get_many([origin.part(angle).id(KIND) for angle in ANGLES])
        rows = tuple(found.values())
        character = self.characters.latest(tenant, character_id)
        if not rows or character is None:
            return None
        shows = rows[0].input["sheet"]
        return Sheet(
            character,
            shows["role"],
            tuple(sorted(rows, key=lambda row: ANGLES.index(row.input["sheet"]["angle"]))),
            (),
        )

    def accept(
        self, key: ApiKey, character_id: str, request: SheetRequest, origin: Origin
    ) -> Sheet:
        """Check, plan and write all rows or none; `send` them then, or the reconciler will."""
        sheet = self.plan(key.tenant, character_id, request)
        for provider in {plan.provider for _, plan in sheet.plans}:
            self.provider_keys.check(provider)
        wanted = Wanted([plan for _, plan in sheet.plans], request.max_cost)
        with self.allowance(key, wanted) as reservation:
            rows = self._rows(key, sheet, request, origin, reservation)
            with suppress(FileExistsError):  # By us: the AWS client repeats such a write.
                self.predictions.add_all(rows, reservation)
        return Sheet(sheet.character, sheet.role, tuple(rows), sheet.warnings)

    def _rows(
        self,
        key: ApiKey,
        sheet: SheetPlan,
        request: SheetRequest,
        origin: Origin,
        reservation: Reservation,
    ) -> list[Prediction]:
        now = self.clock()
        rows = []
        for angle, plan in sheet.plans:
            row = row_of(stored(plan), key=key, now=now, origin=origin.part(angle))
            shows = {"character": sheet.character.id, "role": sheet.role, "angle": angle}
            rows.append(
                replace(
                    row,
                    input={**row.input, "sheet": shows},
                    callback_url=request.callback_url,
                    hold=reservation.hold(plan.price.total),
                )
            )
        return rows

    def send(self, rows: Sequence[Prediction]) -> None:
        """They are accepted by now: whatever goes wrong here is no refusal."""
        for row in rows:
            self.submissions.enqueue(row.id)

    def _default_model(self) -> str:
        for name in _MODELS:
            with suppress(ProviderKeyMissing):
                self.provider_keys.check(self.catalogue.find(name).provider)
                return name
        return _MODELS[0]
