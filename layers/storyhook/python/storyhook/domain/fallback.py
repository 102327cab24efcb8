"""What is tried for a scene when a model gives no picture: other models, in order.

A prediction stays one paid call of one model; moving on makes a new one. A board's fallbacks are
planned when the board is accepted and kept with the scene, so that rows stay small.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.seeds import candidate_seed

MAX_FALLBACKS = 5


@dataclass(frozen=True, slots=True)
class NextModel:
    """What a scene of a board tries after a prediction: its `index`-th fallback, from 0.

    `position` is the scene's. `on_block`: also when the provider's moderation blocked it.
    """

    position: int
    index: int
    on_block: bool
    cost: Decimal | None = None
    """The fallback's estimate, USD."""

    def follows(self, failure: Failure) -> bool:
        """Whether this failure moves the scene on."""
        return failure.rule.next_model or (self.on_block and failure.kind is FailureKind.BLOCKED)


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """One model's plan as it is kept: with its prediction as `input`, with its scene for later."""

    model: str
    provider: str
    endpoint: str
    input: Mapping[str, Any]
    seed: int | None
    cost_estimated: Decimal | None
    deadline_seconds: int
    """How long the model may take, once it has been sent."""
    seed_field: str | None = None
    """The field of the input's `payload` that holds the seed; None where none is sent."""

    def of_candidate(self, number: int) -> "StoredPlan":
        """The plan of a scene's candidate, from 1: each has the seed after the one before."""
        if number == 1 or self.seed is None or self.seed_field is None:
            return self
        seed = candidate_seed(self.seed, number)
        payload = {**self.input["payload"], self.seed_field: seed}
        return replace(self, seed=seed, input={**self.input, "seed": seed, "payload": payload})


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """The fallbacks of a scene. Each may wait `queue_seconds` to be sent."""

    plans: tuple[StoredPlan, ...]
    queue_seconds: int

    def step(self, at: NextModel) -> tuple[StoredPlan, NextModel | None]:
        """What is tried at `at`, and what comes after that."""
        plan, after = self.plans[at.index], self.plans[at.index + 1 : at.index + 2]
        then = [replace(at, index=at.index + 1, cost=next_one.cost_estimated) for next_one in after]
        return plan, then[0] if then else None
