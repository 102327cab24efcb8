"""Secrets from SSM SecureStrings (free at rest), kept in memory for five minutes."""

import time
from dataclasses import dataclass, field
from typing import Any

from storyhook.domain.errors import SettingsError

_KEEP_SECONDS = 300.0


@dataclass
class Secrets:
    """`prefix` is the parameters' path, such as /storyhook/prod."""

    client: Any
    prefix: str
    _kept: dict[str, tuple[float, str]] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str:
        """The secret `<prefix>/<name>`; raises SettingsError when it was never set."""
        kept = self._kept.get(name)
        if kept and time.monotonic() - kept[0] < _KEEP_SECONDS:
            return kept[1]
        path = f"{self.prefix}/{name}"
        try:
            answer = self.client.get_parameter(Name=path, WithDecryption=True)
        except self.client.exceptions.ParameterNotFound as error:
            raise SettingsError(
                f"The secret {path} is not set; put it there with `python -m tools.setup`."
            ) from error
        value: str = answer["Parameter"]["Value"].strip()
        self._kept[name] = (time.monotonic(), value)
        return value
