"""Which providers a local cloud sends to, and with whose keys."""

import os
from collections.abc import Mapping
from enum import StrEnum

from local.cloud.state import StartFailed

# provider -> the environment variable that holds the user's own key
KEY_VARIABLES = {"fal": "FAL_KEY", "replicate": "REPLICATE_API_TOKEN"}
REAL_URLS = {"fal": "https://queue.fal.run", "replicate": "https://api.replicate.com"}


class Providers(StrEnum):
    SIMULATED = "simulated"
    """The simulators, and they call back, as the real ones do on AWS."""
    REHEARSED = "rehearsed"
    """As LIVE, but the simulators stand for the real ones: nothing is paid."""
    LIVE = "live"
    """The real ones, with the user's keys. None of them can reach a laptop."""

    @property
    def run_here(self) -> bool:
        return self is not Providers.LIVE

    @property
    def can_call_back(self) -> bool:
        return self is Providers.SIMULATED


def own_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's keys, by provider; raises StartFailed when there is none."""
    given = {
        provider: key
        for provider, variable in KEY_VARIABLES.items()
        if (key := environment.get(variable, "").strip())
    }
    if not given:
        raise StartFailed(
            "nothing was started: LIVE=1 sends to the real providers and needs the key of one; "
            "set FAL_KEY (fal), REPLICATE_API_TOKEN (Replicate) or both, and run it again"
        )
    return given


def take_keys() -> dict[str, str]:
    """The keys that this process was started with; its own children do not see them."""
    taken = {name: os.environ.pop(variable, "") for name, variable in KEY_VARIABLES.items()}
    return {name: key for name, key in taken.items() if key}
