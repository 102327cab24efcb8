"""Accept a request for one picture: check, plan, write the row, send it. And read it back.

Every refusal comes before the first write. The row is written before anyone is paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from storyhook.domain.errors import FieldError, InvalidCallbackUrl, UnknownCharacter, UnsafeUrl
from storyhook.domain.ids import SECRET_BYTES, new_id, new_secret
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.plan_views import plan_input
from storyhook.domain.prediction import QUEUE_PATIENCE, UNKNOWN_PATIENCE, Prediction, Status
from storyhook.domain.requests import DEFAULT_QUEUE_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from storyhook.domain.access import ApiKey
    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.requests import PredictionRequest
    from storyhook.domain.story import Character, Scene
    from storyhook.ports import Characters, Clock, Entropy, Predictions, Submissions, UrlGuard
    from storyhook.usecases.submit import Submit


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


def new_prediction(
    plan: Plan,
    *,
    key: ApiKey,
    now: datetime,
    entropy: Entropy,
    deadline_seconds: int,
    queue_seconds: int = DEFAULT_QUEUE_TIMEOUT_SECONDS,
    status: Status = Status.QUEUED,
) -> Prediction:
    """The row of `plan`, with its own id and the secret of its webhook URL.

    It may wait `queue_seconds` to be sent; `deadline_seconds` are the model's own, on top.
    """
    queue = timedelta(seconds=queue_seconds)
    return Prediction(
        id=new_id("pred", now, entropy(10)),
        tenant=key.tenant,
        key_id=key.id,
        status=status,
        model=plan.model,
        provider=plan.provider,
        endpoint=plan.endpoint,
        token=new_secret(entropy(SECRET_BYTES)),
        input=plan_input(plan),
        seed=plan.seed,
        cost_estimated=plan.price.total,
        created_at=now,
        deadline_at=now + queue + timedelta(seconds=deadline_seconds),
        due_at=now + min(queue, QUEUE_PATIENCE),
    )


@dataclass(frozen=True)
class RequestPrediction:
    predictions: Predictions
    casting: Casting
    submissions: Submissions
    submit: Submit
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

    def accept(self, key: ApiKey, request: PredictionRequest) -> Prediction:
        """Check, plan and write the row; `send` it then, which the reconciler makes up for."""
        plan = self.plan(key, request)
        # Also for the refusal, before anything is written, of a provider without a key.
        self.submit.provider(plan.provider)
        now = self.clock()
        row = new_prediction(
            plan,
            key=key,
            now=now,
            entropy=self.entropy,
            deadline_seconds=self.catalogue.models[plan.model].deadline_seconds,
            # Claimed from birth: nobody else may send it while this request does.
            status=Status.SUBMITTING,
        )
        row = replace(
            row, callback_url=request.callback_url, due_at=now + UNKNOWN_PATIENCE, attempt=1
        )
        self.predictions.add(row)
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


def random_seed(entropy: Entropy) -> int:
    return int.from_bytes(entropy(4)) >> 1
