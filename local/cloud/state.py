"""What is known of a running local cloud: `.local/<name>/state.json`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


class StartFailed(Exception):
    """The local cloud did not come up; the text has the end of the log that tells why."""


@dataclass(frozen=True)
class CloudState:
    """`providers` is one of `Providers`; the URL of one for which there is no key is empty."""

    name: str
    supervisor_pid: int
    started_at: str
    ends_at: str
    endpoint_url: str
    fal_url: str
    replicate_url: str
    api_url: str
    api_key: str
    api_key_id: str
    callback_secret: str
    outputs: dict[str, str]
    ports: dict[str, int]
    pids: dict[str, int]
    seconds: dict[str, float]
    providers: str = "simulated"

    def write(self, path: Path) -> None:
        """In one go and for this user only: the file holds an API key."""
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
