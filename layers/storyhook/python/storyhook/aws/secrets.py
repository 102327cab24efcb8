"""Secrets from SSM SecureStrings (free at rest), kept in memory for five minutes."""

import time
from dataclasses import dataclass, field
from typing import Any

from storyhook.domain.errors import ProviderKeyMissing, SettingsError

_KEEP_SECONDS = 300.0
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
    _kept: dict[tuple[str, bool], tuple[float, str]] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str:
        """The secret `<prefix>/<name>`; raises SettingsError when it was never set."""
        value = self.find(name)
        if value is None:
            raise SettingsError(
                f"The secret {self.prefix}/{name} is not set; put it there with "
                "`python -m tools.setup`."
            )
        return value

    def find(self, name: str, *, decrypted: bool = True) -> str | None:
        """The secret, or None when it was never set. Not `decrypted`, it only tells that."""
        kept = self._kept.get((name, decrypted))
        if kept and time.monotonic() - kept[0] < _KEEP_SECONDS:
            return kept[1]
        path = f"{self.prefix}/{name}"
        try:
            answer = self.client.get_parameter(Name=path, WithDecryption=decrypted)
        except self.client.exceptions.ParameterNotFound:
            return None
        value: str = answer["Parameter"]["Value"].strip()
        self._kept[name, decrypted] = (time.monotonic(), value)
        return value


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
