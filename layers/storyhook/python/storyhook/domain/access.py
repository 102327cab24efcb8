"""Who asks, and how much of a list they see at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that was let in; `tenant` owns everything made with it."""

    id: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """A part of a list; `cursor` is None on the last one."""

    items: tuple[Item, ...]
    cursor: str | None
