"""What the use cases ask for to keep a library of characters; see `ports` for the rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from storyhook.domain.access import Page
from storyhook.domain.story import Character
from storyhook.domain.storyboard import Use


class Characters(Protocol):
    def get(self, tenant: str, character_id: str) -> Character | None:
        """The newest version; None for one that is deleted, too."""

    def get_many(self, tenant: str, character_ids: Sequence[str]) -> dict[str, Character]: ...

    def latest(self, tenant: str, character_id: str) -> Character | None:
        """The last version, of a deleted character too."""

    def version(self, tenant: str, character_id: str, version: int) -> Character | None:
        """One version, of a deleted character too."""

    def versions(
        self, tenant: str, character_id: str, limit: int, cursor: str | None
    ) -> Page[Character]:
        """All versions, of a deleted character too, the newest first."""

    def replace(self, character: Character, seen: Character | None) -> bool:
        """Put `character` in the place of `seen`, which stays readable as an older version.

        False if somebody has changed, made or deleted it since it was `seen`.
        """

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Character]:
        """Those that are not deleted, by id."""

    def uses(self, tenant: str, character_id: str, limit: int, cursor: str | None) -> Page[Use]:
        """The boards that were planned with it, the newest first; one may not be accepted."""


class UploadSpace(Protocol):
    """Where callers put files of their own, for a day."""

    def form(
        self, key: str, content_type: str, sizes: tuple[int, int], seconds: int
    ) -> tuple[str, Mapping[str, str], datetime]:
        """(URL, fields, until when) of a POST of `key`, and of nothing else.

        `sizes`: the fewest and the most bytes.
        """

    def size(self, key: str) -> int | None:
        """Bytes of the object, or None if there is none."""
