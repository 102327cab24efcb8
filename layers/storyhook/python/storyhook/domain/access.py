"""Who asks, what is theirs, and how much of a list they see at once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storyhook.domain.errors import NotFound


class Scope(StrEnum):
    """What a key may do: look; ask for things and pay for them; make and revoke keys."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


ALL_SCOPES = tuple(Scope)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that was let in; `tenant` owns everything made with it."""

    id: str
    tenant: str
    scopes: tuple[Scope, ...] = ALL_SCOPES


class Owned(Protocol):
    @property
    def tenant(self) -> str: ...


def owned[Row: Owned](row: Row | None, tenant: str, what: str) -> Row:
    """`row`, if it is `tenant`'s. Raises NotFound, also for another's: nobody learns of it."""
    if row is None or row.tenant != tenant:
        raise NotFound(f"There is no {what}.")
    return row


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """A part of a list; `cursor` is None on the last one."""

    items: tuple[Item, ...]
    cursor: str | None
