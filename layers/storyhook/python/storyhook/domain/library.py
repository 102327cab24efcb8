"""Characters as a library: what makes a next version, and what an older one leaves stale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import FieldError, NotFound, TooManyReferences
from storyhook.domain.pricing import add
from storyhook.domain.story import MAX_REFERENCES_PER_CHARACTER, Character, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from storyhook.domain.idempotency import Origin
    from storyhook.domain.storyboard import Use

# A form to upload with is good for so long; what was uploaded goes after a day by itself.
UPLOAD_FORM_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST: `fields` go before the file, which is the last part of the form."""

    id: str
    url: str
    fields: Mapping[str, str]
    expires_at: datetime
    max_bytes: int


@dataclass(frozen=True, slots=True)
class StaleScene:
    """`version` is what it was planned with; `cost` (USD) of planning it anew, None if unknown."""

    id: str
    position: int
    version: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class StaleBoard:
    storyboard_id: str
    title: str
    scenes: tuple[StaleScene, ...]

    @property
    def cost(self) -> Decimal | None:
        return add(scene.cost for scene in self.scenes)


def is_stale(use: Use, character: Character) -> bool:
    """Whether the board has an older version; one of a deleted namesake is none of it."""
    return character.first_version <= use.version < character.version


def is_older(row: Character, origin: Origin) -> bool:
    """Whether nothing of the request that began as `origin` is in it."""
    return row.updated_at < origin.at


def next_version(before: Character, now: datetime, **changes: Any) -> Character:
    """`before` with these fields, as its next version; itself if they change nothing."""
    changed = replace(before, **changes)
    if _content(changed) == _content(before):
        return before
    return replace(changed, version=before.version + 1, updated_at=now)


def replaced(before: Character | None, new: Character) -> Character:
    """What becomes of `before` (None, or deleted) when somebody sends `new` whole.

    The same picture in the same role keeps its id.
    """
    if before is None:
        return new
    if before.deleted_at is not None:
        version = before.version + 1
        return replace(new, version=version, first_version=version)
    known = {_shown(reference): reference for reference in before.references}
    references = tuple(known.get(_shown(reference), reference) for reference in new.references)
    return next_version(
        before,
        new.updated_at,
        name=new.name,
        description=new.description,
        outfit=new.outfit,
        kind=new.kind,
        references=references,
    )


def brought(before: Character | None, new: Character) -> Character:
    """What becomes of `before` when a board brings `new` along.

    A picture that it brings takes the place of those with the same role and angle; views that it
    does not bring stay, such as those of a sheet that were approved.
    """
    if before is None or before.deleted_at is not None or before.kind != new.kind:
        return replaced(before, new)
    there, comes = set(map(_shown, before.references)), set(map(_shown, new.references))
    renewed = {(role, angle) for _, role, angle in comes - there}
    stays = [
        reference
        for reference in before.references
        if _shown(reference) not in comes and (reference.role, reference.angle) not in renewed
    ]
    return replaced(before, replace(new, references=(*new.references, *stays)))


def with_reference(before: Character, reference: Reference, now: datetime) -> Character:
    """Raises TooManyReferences. A picture that is there in the same role changes nothing."""
    if _shown(reference) in map(_shown, before.references):
        return before
    check_count(before.id, len(before.references) + 1)
    return next_version(before, now, references=(*before.references, reference))


def without_reference(before: Character, reference_id: str, now: datetime) -> Character:
    """Raises NotFound."""
    left = tuple(ref for ref in before.references if ref.id != reference_id)
    if len(left) == len(before.references):
        raise NotFound(f"{before.id} has no reference {reference_id!r}.")
    return next_version(before, now, references=left)


def check_count(character_id: str, count: int) -> None:
    if count > MAX_REFERENCES_PER_CHARACTER:
        raise TooManyReferences(
            f"{character_id} would have {count} references; "
            f"{MAX_REFERENCES_PER_CHARACTER} are allowed, so leave some out.",
            (FieldError("references", f"at most {MAX_REFERENCES_PER_CHARACTER} items"),),
        )


def stale_cost(boards: Iterable[StaleBoard]) -> Decimal | None:
    return add(board.cost for board in boards)


def _shown(reference: Reference) -> tuple[str, str, str]:
    return reference.sha256, reference.role, reference.angle


def _content(row: Character) -> tuple[object, ...]:
    shown: Sequence[tuple[str, str, str]] = [_shown(reference) for reference in row.references]
    return row.name, row.description, row.outfit, row.kind, tuple(shown)
