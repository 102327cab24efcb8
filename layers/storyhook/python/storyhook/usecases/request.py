"""Accept a request for one picture: check, plan, write the row, send it. And read it back.

Every refusal comes before the first write. The row is written before anyone is paid.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storyhook.domain.errors import FieldError, InvalidCallbackUrl, UnknownCharacter, UnsafeUrl
from storyhook.domain.ids import SECRET_BYTES, new_secret
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.plan_views import stored
from storyhook.domain.prediction import UNKNOWN_PATIENCE, Prediction, Status, new_prediction
from storyhook.domain.requests import DEFAULT_QUEUE_TIMEOUT_SECONDS
from storyhook.usecases.allowance import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from storyhook.domain.access import ApiKey
    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.fallback import StoredPlan
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.requests import PredictionRequest
    from storyhook.domain.story import Character, Scene
    from storyhook.ports import Clock, Entropy, Predictions, Submissions, UrlGuard
    from storyhook.ports.library import Characters
    from storyhook.usecases.allowance import Allowance
    from storyhook.usecases.submit import Submit


KIND = "pred"


def _place_in_board(scene: Scene) -> str:
    return f"scenes[{scene.position - 1}]."


@dataclass(frozen=True)
class Casting:
    """Finds the characters that scenes name."""

    characters: Characters

    def load(
        self,
        tenant: str,
        scenes: Sequence[Scene],
        brought: Mapping[str, Character] | None = None,
        path: Callable[[Scene], str] = _place_in_board,
    ) -> dict[str, Character]:
        """All characters on stage, by id; raises UnknownCharacter with the place of each.

        `brought` are characters that come with the request and are not written yet.
        """
        found = dict(brought or {})
        on_stage = dict.fromkeys(name for scene in scenes for name in scene.characters)
        stored = [name for name in on_stage if name not in found]
        if stored:
            found |= self.characters.get_many(tenant, stored)
        errors = [
            FieldError(
                f"{path(scene)}characters[{index}]",
                f"There is no character {name!r}; create it with POST /characters.",
            )
            for scene in scenes
            for index, name in enumerate(scene.characters)
            if name not in found
        ]
        if errors:
            raise UnknownCharacter(
                "A scene names a character that does not exist; create it first.", tuple(errors)
            )
        return found


def check_callback_url(guard: UrlGuard, url: str | None) -> None:
    if url is None:
        return
    try:
        guard.check(url)
    except UnsafeUrl as error:
        raise InvalidCallbackUrl(
            error.detail, (FieldError("callback_url", error.detail),)
        ) from error


def row_of(
    plan: StoredPlan,
    *,
    key: ApiKey,
    now: datetime,
    origin: Origin,
    queue_seconds: int = DEFAULT_QUEUE_TIMEOUT_SECONDS,
) -> Prediction:
    """The row of `plan`, with its own id and the secret of its webhook URL."""
    return new_prediction(
        plan,
        prediction_id=origin.id(KIND),
        token=new_secret(origin.draw("token", SECRET_BYTES)),
        tenant=key.tenant,
        key_id=key.id,
        now=now,
        queue_seconds=queue_seconds,
    )


@dataclass(frozen=True)
class RequestPrediction:
    predictions: Predictions
    casting: Casting
    submissions: Submissions
    submit: Submit
    allowance: Allowance
    catalogue: Catalogue
    guard: UrlGuard
    clock: Clock
    entropy: Entropy

    def plan(self, key: ApiKey, request: PredictionRequest) -> Plan:
        """What would be sent, and its price. Writes and pays nothing."""
        check_callback_url(self.guard, request.callback_url)
        self.catalogue.find(request.model)
        cast = self.casting.load(key.tenant, [request.scene], path=lambda _: "")
        return plan_scene(
            self.catalogue,
            request.model,
            request.scene,
            [cast[name] for name in request.scene.characters],
            request.look,
            seed=request.seed if request.seed is not None else random_seed(self.entropy),
        )

    def made(self, origin: Origin) -> Prediction | None:
        """What was accepted from this origin, if anything was."""
        return self.predictions.get(origin.id(KIND))

    def accept(self, key: ApiKey, request: PredictionRequest, origin: Origin) -> Prediction:
        """Check, plan and write the row; `send` it then, which the reconciler makes up for."""
        plan = self.plan(key, request)
        # Also for the refusal, before anything is written, of a provider without a key.
        self.submit.provider(plan.provider)
        cost = plan.price.total
        with self.allowance(key, Wanted([plan], request.max_cost)) as reservation:
            now = self.clock()
            row = replace(
                row_of(stored(plan), key=key, now=now, origin=origin),
                # Claimed from birth: nobody else may send it while this request does.
                status=Status.SUBMITTING,
                attempt=1,
                due_at=now + UNKNOWN_PATIENCE,
                callback_url=request.callback_url,
                max_paid_attempts=affordable_attempts(request, cost),
                hold=reservation.hold(cost),
                max_cost=request.max_cost,
            )
            with suppress(FileExistsError):  # By us: the AWS client repeats such a write.
                self.predictions.add(row, reservation)
        return row

    def send(self, row: Prediction) -> Prediction:
        """Create the prediction at the provider; queue it if the provider throttles or is down.

        The row is accepted by now. Whatever goes wrong here is no refusal: the caller would ask,
        and pay, again.
        """
        wait = self.submit.send(row)
        if wait is not None:
            self.submissions.enqueue(row.id, delay_seconds=round(wait))
        return self.predictions.get(row.id) or row


def affordable_attempts(request: PredictionRequest, cost: Decimal | None) -> int:
    """How often it may be paid for: as the caller agreed, within max_cost."""
    if request.max_cost is None or not cost:
        return request.max_paid_attempts
    return min(request.max_paid_attempts, int(request.max_cost / cost))


def random_seed(entropy: Entropy) -> int:
    return int.from_bytes(entropy(4)) >> 1
