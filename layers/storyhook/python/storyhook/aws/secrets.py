"""Secrets from SSM SecureStrings (free at rest), kept in memory for five minutes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from storyhook.domain.errors import ProviderKeyMissing, SettingsError

_KEEP_SECONDS = 300.0
# How often one is looked up anew at the most, and how long one that strangers ask for is believed
# to be absent: SSM answers all functions together 40 times a second.
MIN_GAP_SECONDS = 60.0
# provider -> the secret's name, and the variable from which the set-up takes it
_PROVIDER_KEYS = {
    "fal": ("fal-key", "FAL_KEY"),
    "replicate": ("replicate-token", "REPLICATE_API_TOKEN"),
}


@dataclass
class Secrets:
    """`prefix` is the parameters' path, such as /storyhook/prod.

    What is absent is looked for again at each call, or after `absent_seconds`: of those who set up
    a stack, nobody waits for a key that they have just put there.
    """

    client: Any
    prefix: str
    monotonic: Callable[[], float] = time.monotonic
    absent_seconds: float = 0.0
    _kept: dict[tuple[str, bool], tuple[float, str | None]] = field(
        default_factory=dict, repr=False
    )

    def get(self, name: str) -> str:
        """The secret `<prefix>/<name>`; raises SettingsError when it was never set."""
        value = self.find(name)
        if value is None:
            raise SettingsError(
                f"The secret {self.prefix}/{name} is not set; put it there with "
                "`python -m tools.setup`."
            )
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Those that are valid, the newest first: two while one replaces the other (`new old`)."""
        return tuple(self.get(name).split())

    def refresh(self, name: str) -> bool:
        """Read it again, unless that was just done: forged requests must not cost one each.

        Whether it has changed.
        """
        before, (read_at, _) = self.all(name), self._kept[name, True]
        if self.monotonic() - read_at < MIN_GAP_SECONDS:
            return False
        del self._kept[name, True]
        return self.all(name) != before

    def find(self, name: str, *, decrypted: bool = True) -> str | None:
        """The secret, or None when it was never set. Not `decrypted`, it only tells that."""
        if (name, decrypted) in self._kept:
            read_at, value = self._kept[name, decrypted]
            keep_seconds = _KEEP_SECONDS if value else self.absent_seconds
            if self.monotonic() - read_at < keep_seconds:
                return value
        path = f"{self.prefix}/{name}"
        try:
            answer = self.client.get_parameter(Name=path, WithDecryption=decrypted)
            value = answer["Parameter"]["Value"].strip()
        except self.client.exceptions.ParameterNotFound:
            value = None
        self._kept[name, decrypted] = (self.monotonic(), value)
        return value


@dataclass(frozen=True)
class RotatingSecret:
    """A secret that others change: what it does not verify may be signed with a newer one."""

    secrets: Secrets
    name: str

    def all(self) -> tuple[str, ...]:
        """Raises SettingsError when there is none."""
        return self.secrets.all(self.name)

    def refresh(self) -> bool:
        return self.secrets.refresh(self.name)


@dataclass(frozen=True)
class ProviderKeys:
    secrets: Secrets

    def get(self, provider: str) -> str:
        """Raises ProviderKeyMissing when it was never set."""
        return self._find(provider, decrypted=True)

    def check(self, provider: str) -> None:
        self._find(provider, decrypted=False)

    def _find(self, provider: str, *, decrypted: bool) -> str:
        name, variable = _PROVIDER_KEYS[provider]
        key = self.secrets.find(name, decrypted=decrypted)
        if key is None:
            raise ProviderKeyMissing(provider, variable)
        return key
