"""Which stack to speak to: the environment's, or a profile of ~/.config/storyhook/config.toml."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from storyhook_client.errors import BadConfiguration

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

URL, KEY, PROFILE = "STORYHOOK_URL", "STORYHOOK_API_KEY", "STORYHOOK_PROFILE"
DEFAULT = "default"
_HOW = f"Set {URL} and {KEY}, or run `storyhook configure`."


@dataclass(frozen=True)
class Profile:
    url: str
    key: str = field(repr=False)


def path_of(environment: Mapping[str, str] = os.environ) -> Path:
    home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "storyhook" / "config.toml"


def configured(name: str | None = None, environment: Mapping[str, str] = os.environ) -> Profile:
    """A profile that is asked for by name; else the environment's stack; else the default profile.

    Raises BadConfiguration.
    """
    name = name or environment.get(PROFILE)
    url, key = environment.get(URL), environment.get(KEY)
    if name is None and (url or key):
        if not (url and key):
            missing = KEY if url else URL
            raise BadConfiguration(f"{missing} is not set. {_HOW}")
        return Profile(_checked(url, URL), key)
    path = path_of(environment)
    profiles = read(path)
    wanted = name or DEFAULT
    if wanted not in profiles:
        if name is None:
            raise BadConfiguration(f"No stack is configured. {_HOW}")
        raise BadConfiguration(f"{path}: no profile {wanted!r}{_instead(wanted, profiles)}")
    return profiles[wanted]


def read(path: Path) -> dict[str, Profile]:
    """The profiles of a file, none if there is no file; raises BadConfiguration."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadConfiguration(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path}: {error}") from error
    return {name: _profile(path, name, values) for name, values in document.items()}


def save(path: Path, name: str, profile: Profile) -> None:
    """Adds or replaces one profile; the file is its owner's alone. Raises BadConfiguration."""
    profiles = {**read(path), name: profile}
    # A TOML basic string is written like a JSON string.
    lines = [
        f"[{json.dumps(each)}]\nurl = {json.dumps(values.url)}\nkey = {json.dumps(values.key)}\n"
        for each, values in sorted(profiles.items())
    ]
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        partial.replace(path)
    except OSError as error:
        raise BadConfiguration(f"{path}: {error.strerror or error}") from error


def _profile(path: Path, name: str, values: Any) -> Profile:
    where = f"{path}: [{name}]"
    if not isinstance(values, dict):
        raise BadConfiguration(f"{where} is not a table with url and key")
    for wanted in ("url", "key"):
        if not isinstance(values.get(wanted), str):
            raise BadConfiguration(f"{where} has no {wanted}")
    return Profile(_checked(values["url"], where), values["key"])


def _checked(url: str, where: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise BadConfiguration(f"{where}: {url!r} is not an http(s) address")
    return url.rstrip("/")


def _instead(name: str, profiles: Mapping[str, Profile]) -> str:
    near = get_close_matches(name, profiles, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(sorted(profiles))}" if profiles else f". {_HOW}"
