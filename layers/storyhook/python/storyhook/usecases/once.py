"""Do once what may be asked several times: an Idempotency-Key is claimed before anything is made.

Nothing is stored of the answer. What a request creates has ids that follow from its claim, so a
repetition finds it, also when the first died right after the accepting write; and one that died
before that is done again, with the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from storyhook.domain.errors import IdempotencyKeyReused, RequestInProgress, StoryhookError
from storyhook.domain.idempotency import KEPT, LEASE, SEED_BYTES, Claim, Origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.domain.access import ApiKey
    from storyhook.domain.idempotency import Asked
    from storyhook.ports import Clock, Entropy
    from storyhook.ports.idempotency import Claims

_HOLDER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Made[Thing]:
    thing: Thing
    replayed: bool
    """Whether an earlier request with the same key made it."""


@dataclass(frozen=True)
class Once:
    claims: Claims
    clock: Clock
    entropy: Entropy

    def __call__[Thing](
        self,
        caller: ApiKey,
        asked: Asked | None,
        find: Callable[[Origin], Thing | None],
        make: Callable[[Origin], Thing],
        left_all: Callable[[Thing, Origin], bool] = lambda *_: False,
    ) -> Made[Thing]:
        """What `make` makes, or what `find` finds of an earlier request with the same key.

        `make` raises a StoryhookError only if nothing was created: such a refusal frees the key.
        `left_all`: whether what it made was there already, so that `find` will find nothing.
        Raises IdempotencyKeyReused, RequestInProgress. Nothing `asked`: it is just made.
        """
        if asked is None:
            return Made(make(self._origin()), replayed=False)
        ours = self._wanted(caller, asked)
        claim = self._claim(caller, ours)
        if claim.holder != ours.holder:
            if claim.fingerprint != asked.fingerprint:
                raise IdempotencyKeyReused
            found = find(claim.origin)
            if found is None:
                claim = self._take_over(caller, claim, ours)
                # What its holder wrote last may have come to be meanwhile.
                found = find(claim.origin)
            if found is not None:
                return Made(found, replayed=True)
        try:
            thing = make(claim.origin)
        except StoryhookError:
            self.claims.hand_over(claim, replace(claim, expires_at=self.clock()))
            raise
        if left_all(thing, claim.origin):
            # Whoever repeats it need not wait for us: it is done again, and changes nothing again.
            self.claims.hand_over(claim, replace(claim, lease_until=self.clock()))
        return Made(thing, replayed=False)

    def _origin(self) -> Origin:
        return Origin(self.clock(), self.entropy(SEED_BYTES))

    def _wanted(self, caller: ApiKey, asked: Asked) -> Claim:
        origin = self._origin()
        return Claim(
            tenant=caller.tenant,
            key_id=caller.id,
            key=asked.key,
            fingerprint=asked.fingerprint,
            at=origin.at,
            seed=origin.seed.hex(),
            holder=self.entropy(_HOLDER_BYTES).hex(),
            lease_until=origin.at + LEASE,
            expires_at=origin.at + KEPT,
        )

    def _claim(self, caller: ApiKey, ours: Claim) -> Claim:
        """Ours, or the one that stands. AWS may be sent a write twice: the holder tells whose."""
        while not self.claims.claim(ours):
            there = self.claims.held(caller, ours.key)
            if there is None:
                continue  # It has gone meanwhile.
            if there.expires_at > self.clock():
                return there
            if self.claims.hand_over(there, ours):
                break
        return ours

    def _take_over(self, caller: ApiKey, claim: Claim, ours: Claim) -> Claim:
        """Go on where somebody died. Raises RequestInProgress while they may be alive."""
        left = claim.lease_until - self.clock()
        if left.total_seconds() > 0:
            raise RequestInProgress(ceil(left.total_seconds()))
        taken = replace(claim, holder=ours.holder, lease_until=ours.lease_until)
        if not self.claims.hand_over(claim, taken):
            there = self.claims.held(caller, claim.key)
            if there is None or there.holder != ours.holder:
                raise RequestInProgress(ceil(LEASE.total_seconds()))
        return taken
