"""Secrets from SSM SecureStrings (free at rest), kept in memory for five minutes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from storyhook.domain.errors import ProviderKeyMissing, SettingsError

_KEEP_SECONDS = 300.0
_MIN_GAP_SECONDS = 60.0
# provider -> the secret's name, and the variable from which the set-up takes it
_PROVIDER_KEYS = {
    "fal": ("fal-key", "FAL_KEY"),
    "replicate": ("replicate-token", "REPLICATE_API_TOKEN"),
}


@dataclass
class Secrets:
    """`prefix` is the parameters' path, such as /storyhook/prod."""

    client: Any
    prefix: str
    monotonic: Callable[[], float] = time.monotonic
    _kept: dict[tuple[str, bool], tuple[float, str]] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str:
        """The secret `<prefix>/<name>`; raises SettingsError when it was never set."""
        value = self.find(name)
        if value is None:
            raise self.not_set(name)
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Those that are valid, the newest first: two while one replaces the other (`new old`)."""
        return tuple(self.get(name).split())

    def not_set(self, name: str) -> SettingsError:
        return SettingsError(
            f"The secret {self.prefix}/{name} is not set; put it there with "
            "`python -m tools.setup`."
        )

    def forget(self, name: str) -> None:
        """Read it anew when it is asked for next."""
        self._kept.pop((name, True), None)

    def find(self, name: str, *, decrypted: bool = True) -> str | None:
        """The secret, or None when it was never set. Not `decrypted`, it only tells that."""
        kept = self._kept.get((name, decrypted))
        if kept and self.monotonic() - kept[0] < _KEEP_SECONDS:
            return kept[1]
        path = f"{self.prefix}/{name}"
        try:
            answer = self.client.get_parameter(Name=path, WithDecryption=decrypted)
        except self.client.exceptions.ParameterNotFound:
            return None
        value: str = answer["Parameter"]["Value"].strip()
        self._kept[name, decrypted] = (self.monotonic(), value)
        return value


@dataclass
class RotatingSecret:
    """A secret that others change: what it does not verify may be signed with a newer one."""

    secrets: Secrets
    name: str
    _read_at: float | None = None
    _missed_at: float | None = None

    def all(self) -> tuple[str, ...]:
        """Raises SettingsError when there is none.

        That there is none is believed for a minute: anybody may ask, and SSM answers all functions
        together 40 times a second.
        """
        now = self.secrets.monotonic()
        if self._missed_at is not None and now - self._missed_at < _MIN_GAP_SECONDS:
            raise self.secrets.not_set(self.name)
        if self._read_at is None:
            self._read_at = now
        try:
            return self.secrets.all(self.name)
        except SettingsError:
            self._missed_at = now
            raise

    def refresh(self) -> bool:
        """Read it again, at most once a minute: forged requests must not cost one each.

        Whether it has changed.
        """
        now = self.secrets.monotonic()
        if self._read_at is not None and now - self._read_at < _MIN_GAP_SECONDS:
            return False
        before, self._read_at = self.all(), now
        self.secrets.forget(self.name)
        return self.all() != before


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
