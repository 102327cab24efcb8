"""What `usecases.once` asks for; see `ports` for the rest."""

from typing import Protocol

from storyhook.domain.access import ApiKey
from storyhook.domain.idempotency import Claim


class Claims(Protocol):
    """Which request each Idempotency-Key stands for, per tenant and API key."""

    def claim(self, claim: Claim) -> bool:
        """False if there is one for its key already, be it too old."""

    def held(self, caller: ApiKey, key: str) -> Claim | None: ...

    def hand_over(self, seen: Claim, claim: Claim) -> bool:
        """Put `claim` in the place of `seen`; False if that has another holder by now."""
