"""Who asks, what is theirs, and how much of a list they see at once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storyhook.domain.errors import NotFound


class Scope(StrEnum):
    """What a key may do: look; ask for things and pay for them; make and revoke keys.

    VIEW is no key's but a shared link's: look at one board.
    """

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    VIEW = "view"


ALL_SCOPES = (Scope.READ, Scope.WRITE, Scope.ADMIN)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that was let in; `tenant` owns everything made with it.

    Or a shared link: `storyboard_id` is the board that it shows.
    """

    id: str
    tenant: str
    scopes: tuple[Scope, ...] = ALL_SCOPES
    storyboard_id: str | None = None

    def sees(self, storyboard_id: str | None) -> bool:
        """Whether it may look at this board, or at what is of it; None is of no board."""
        if Scope.VIEW not in self.scopes:
            return True
        return storyboard_id is not None and storyboard_id == self.storyboard_id


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
