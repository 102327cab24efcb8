"""Characters: create, change, delete and read them. Every change is the next version.

The order of writes is files, older version, newest version: cut short anywhere, nothing is half
done, and the same request makes it whole.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storyhook.domain.errors import CharacterChanged, CharacterInUse, FieldError, NotFound
from storyhook.domain.library import (
    brought,
    check_count,
    is_older,
    next_version,
    replaced,
    with_reference,
    without_reference,
)
from storyhook.domain.story import Character
from storyhook.domain.storyboard import BoardStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from storyhook.domain.access import Page
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.requests import CharacterRequest, ReferenceRequest
    from storyhook.ports import Clock, Images, Storyboards
    from storyhook.ports.library import Characters
    from storyhook.usecases.pictures import Fetched, FetchReference

_PARALLEL_FETCHES = 8
# Each round somebody's change is written, so this many may come at one moment.
_MAX_ROUNDS = 30
_PAGE = 100
_MAX_NAMED = 10


@dataclass(frozen=True, slots=True)
class PreparedCharacter:
    """A character that is checked but not written; `seen` is what it takes the place of."""

    character: Character
    seen: Character | None
    files: tuple[Fetched, ...]

    @property
    def is_new(self) -> bool:
        return self.seen is None or self.seen.deleted_at is not None


@dataclass(frozen=True)
class SaveCharacter:
    """The character as it is sent, whole: created, or its next version."""

    characters: Characters
    images: Images
    fetch: FetchReference
    clock: Clock

    def prepare(self, tenant: str, request: CharacterRequest) -> PreparedCharacter:
        """One that a board brings: views that it does not bring stay.

        Fetches and checks everything; raises before anything is written.
        """
        check_count(request.id, len(request.references))
        prepared = self._against(self._fetched(tenant, request), brought)
        check_count(request.id, len(prepared.character.references))
        return prepared

    def _fetched(
        self, tenant: str, request: CharacterRequest
    ) -> tuple[Character, tuple[Fetched, ...]]:
        def fetch(numbered: tuple[int, ReferenceRequest]) -> Fetched:
            index, reference = numbered
            return self.fetch(tenant, request.kind, reference, f"references[{index}]")

        with ThreadPoolExecutor(_PARALLEL_FETCHES) as pool:
            files = tuple(pool.map(fetch, enumerate(request.references)))
        now = self.clock()
        sent = Character(
            id=request.id,
            tenant=tenant,
            name=request.name,
            description=request.description,
            outfit=request.outfit,
            kind=request.kind,
            references=tuple(file.reference for file in files),
            version=1,
            created_at=now,
            updated_at=now,
        )
        return sent, files

    def _against(
        self,
        sent: tuple[Character, tuple[Fetched, ...]],
        becomes: Callable[[Character | None, Character], Character],
    ) -> PreparedCharacter:
        """What it is to be, given what there is."""
        character, files = sent
        seen = self.characters.latest(character.tenant, character.id)
        return PreparedCharacter(becomes(seen, character), seen, files)

    def save(self, prepared: PreparedCharacter) -> None:
        """Raises CharacterChanged if it was changed since it was prepared."""
        if not self._written(prepared):
            raise CharacterChanged(f"{prepared.character.id} was changed meanwhile; send it again.")

    def _written(self, prepared: PreparedCharacter) -> bool:
        if prepared.character == prepared.seen:
            return True
        put_files(self.images, prepared.files)
        return self.characters.replace(prepared.character, prepared.seen)

    def made(self, tenant: str, character_id: str, origin: Origin) -> tuple[Character, bool] | None:
        """The character, and whether it is new, if it was saved since `origin` began.

        By another request meanwhile, perhaps: then it stands as if that had come second.
        """
        row = changed_since(self.characters, tenant, character_id, origin)
        return (row, row.created_at >= origin.at) if row else None

    def __call__(self, tenant: str, request: CharacterRequest) -> tuple[Character, bool]:
        """The character, and whether it is new. Of two that come together the last one stands."""
        check_count(request.id, len(request.references))
        sent = self._fetched(tenant, request)
        for _ in range(_MAX_ROUNDS):
            prepared = self._against(sent, replaced)
            if self._written(prepared):
                return prepared.character, prepared.is_new
        raise _too_busy(request.id)


@dataclass(frozen=True)
class EditCharacter:
    """Changes of what is there. Those that come together are made one after another."""

    characters: Characters
    images: Images
    fetch: FetchReference
    clock: Clock

    def fields(
        self, tenant: str, character_id: str, changes: Mapping[str, str | None], version: int | None
    ) -> Character:
        """Change these fields. Raises CharacterChanged unless `version` is still the newest."""

        def change(before: Character) -> Character:
            if version not in (None, before.version):
                raise CharacterChanged(
                    f"{before.id} is at version {before.version}, not {version}; read it again, "
                    "then change it.",
                    (FieldError("version", f"the newest is {before.version}"),),
                )
            return next_version(before, self.clock(), **changes)

        return self._edit(tenant, character_id, change)

    def added(
        self, tenant: str, character_id: str, origin: Origin
    ) -> tuple[Character, bool] | None:
        """As `SaveCharacter.made`; what was changed since is taken for what was to be added."""
        row = changed_since(self.characters, tenant, character_id, origin)
        return (row, True) if row else None

    def add_reference(
        self, tenant: str, character_id: str, request: ReferenceRequest
    ) -> tuple[Character, bool]:
        """The character with one more reference; and whether it is one that was not there."""
        before = current(self.characters, tenant, character_id)
        fetched = self.fetch(tenant, before.kind, request, "")
        with_reference(before, fetched.reference, self.clock())  # raises before a file is written
        put_files(self.images, (fetched,))
        after = self._edit(
            tenant,
            character_id,
            lambda row: with_reference(row, fetched.reference, self.clock()),
        )
        return after, fetched.reference in after.references

    def remove_reference(self, tenant: str, character_id: str, reference_id: str) -> Character:
        """Its picture stays for the versions that show it."""
        return self._edit(
            tenant,
            character_id,
            lambda row: without_reference(row, reference_id, self.clock()),
        )

    def _edit(
        self, tenant: str, character_id: str, change: Callable[[Character], Character]
    ) -> Character:
        for _ in range(_MAX_ROUNDS):
            before = current(self.characters, tenant, character_id)
            after = change(before)
            if after == before or self.characters.replace(after, before):
                return after
        raise _too_busy(character_id)


@dataclass(frozen=True)
class DeleteCharacter:
    characters: Characters
    storyboards: Storyboards
    clock: Clock

    def __call__(self, tenant: str, character_id: str) -> None:
        """Raises NotFound, or CharacterInUse with the running boards that need it.

        Its versions and pictures stay for what was made with them.
        """
        for _ in range(_MAX_ROUNDS):
            before = current(self.characters, tenant, character_id)
            needed_by = list(self._boards(before))
            if needed_by:
                raise _in_use(before, needed_by)
            if self.characters.replace(replace(before, deleted_at=self.clock()), before):
                return
        raise _too_busy(character_id)

    def _boards(self, character: Character) -> Iterator[str]:
        """Ids of running boards."""
        cursor = None
        while True:
            page = self.characters.uses(character.tenant, character.id, _PAGE, cursor)
            boards = self.storyboards.get_many([use.storyboard_id for use in page.items])
            for board in boards.values():
                if board.status is BoardStatus.RUNNING:
                    yield board.id
            cursor = page.cursor
            if cursor is None:
                return


@dataclass(frozen=True)
class ReadCharacter:
    characters: Characters

    def __call__(self, tenant: str, character_id: str, version: int | None = None) -> Character:
        """The newest version, or the one asked for, of a deleted character too; or NotFound."""
        if version is None:
            return current(self.characters, tenant, character_id)
        found = self.characters.version(tenant, character_id, version)
        if found is None:
            raise NotFound(f"There is no version {version} of a character {character_id!r}.")
        return found

    def versions(
        self, tenant: str, character_id: str, limit: int, cursor: str | None
    ) -> Page[Character]:
        """The newest first, of a deleted character too; or NotFound."""
        page = self.characters.versions(tenant, character_id, limit, cursor)
        if cursor is None and not page.items:
            raise _unknown(character_id)
        return page


def changed_since(
    characters: Characters, tenant: str, character_id: str, origin: Origin
) -> Character | None:
    row = characters.get(tenant, character_id)
    return None if row is None or is_older(row, origin) else row


def current(characters: Characters, tenant: str, character_id: str) -> Character:
    """Raises NotFound."""
    found = characters.get(tenant, character_id)
    if found is None:
        raise _unknown(character_id)
    return found


def put_files(images: Images, files: Sequence[Fetched]) -> None:
    """Before any row names them. Their keys are their content's, so that may be done twice."""
    for file in files:
        images.put(file.reference.key, file.data, file.reference.content_type)


def _unknown(character_id: str) -> NotFound:
    return NotFound(f"There is no character {character_id!r}.")


def _too_busy(character_id: str) -> CharacterChanged:
    return CharacterChanged(f"{character_id} is being changed all the time; send it again.")


def _in_use(character: Character, needed_by: Sequence[str]) -> CharacterInUse:
    more = len(needed_by) - _MAX_NAMED
    names = ", ".join(needed_by[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
    return CharacterInUse(
        f"{character.id} is needed by {names}; wait until that is over, or cancel it.",
        tuple(FieldError(row_id, f"needs {character.id}") for row_id in needed_by),
    )
