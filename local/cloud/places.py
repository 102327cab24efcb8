"""Where things are. One folder per local cloud, so that several can run side by side."""

import platform
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
DEV_PYTHON = TOOLS / "dev" / "bin" / "python"
CLOUD_PYTHON = TOOLS / "cloud" / "bin" / "python"
SAM = TOOLS / "sam" / "bin" / "sam"
HOME = ROOT / ".local"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Places:
    """The folder of the local cloud `name`, and what is in it."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a local cloud's name is lower-case letters, digits, -: {self.name}")

    @property
    def folder(self) -> Path:
        return HOME / self.name

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.folder / "lock"

    @property
    def scratch(self) -> Path:
        """Everything the emulator unpacks; thrown away at the end (scratch.py)."""
        return self.folder / "tmp"

    @property
    def built_template(self) -> Path:
        return self.build / "template.yaml"

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def build_cache(self) -> Path:
        return self.folder / "build-cache"

    def log(self, process: str) -> Path:
        return self.folder / f"{process}.log"

    def settings(self, simulator: str) -> Path:
        return self.folder / f"{simulator}-settings.json"


def host_architecture() -> str:
    """This machine's, in Lambda's words: what the emulator runs natively."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
