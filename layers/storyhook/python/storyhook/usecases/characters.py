"""Characters: register one with its reference images, copied into our bucket and checked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from storyhook.domain.errors import (
    BadReference,
    DownloadFailed,
    FieldError,
    NotFound,
    TooManyReferences,
    UnsafeUrl,
)
from storyhook.domain.ids import new_id
from storyhook.domain.story import MAX_REFERENCES_PER_CHARACTER, Character, Reference

if TYPE_CHECKING:
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.requests import CharacterRequest, ReferenceRequest
    from storyhook.ports import Characters, Clock, Entropy, Images, ImageSource

_PARALLEL_FETCHES = 8

type SavedCharacter = tuple[Character, bool]
"""A character, and whether it is new."""


@dataclass(frozen=True, slots=True)
class PreparedCharacter:
    """A character that is checked but not written; `files` are (key, bytes, content type)."""

    character: Character
    files: tuple[tuple[str, bytes, str], ...]


@dataclass(frozen=True)
class SaveCharacter:
    characters: Characters
    images: Images
    source: ImageSource
    clock: Clock
    entropy: Entropy

    def prepare(self, tenant: str, request: CharacterRequest) -> PreparedCharacter:
        """Fetch and check everything; raises before anything is written."""
        if len(request.references) > MAX_REFERENCES_PER_CHARACTER:
            raise TooManyReferences(
                f"{request.id} has {len(request.references)} references; "
                f"{MAX_REFERENCES_PER_CHARACTER} are allowed, so leave some out.",
                (FieldError("references", f"at most {MAX_REFERENCES_PER_CHARACTER} items"),),
            )
        before = self.characters.get(tenant, request.id)
        paths = [f"references[{index}].url" for index in range(len(request.references))]
        with ThreadPoolExecutor(_PARALLEL_FETCHES) as pool:
            fetched = list(pool.map(partial(self._fetch, tenant), paths, request.references))
        now = self.clock()
        character = Character(
            id=request.id,
            tenant=tenant,
            name=request.name,
            description=request.description,
            outfit=request.outfit,
            kind=request.kind,
            references=tuple(reference for reference, _ in fetched),
            version=before.version + 1 if before else 1,
            created_at=before.created_at if before else now,
            updated_at=now,
        )
        files = tuple((reference.key, data, reference.content_type) for reference, data in fetched)
        return PreparedCharacter(character, files)

    def save(self, prepared: PreparedCharacter) -> None:
        for key, data, content_type in prepared.files:
            self.images.put(key, data, content_type)
        self.characters.put(prepared.character)

    def made(self, tenant: str, character_id: str, origin: Origin) -> SavedCharacter | None:
        """The character, if it was saved since `origin` began.

        By another request meanwhile, perhaps: then it stands as if that had come second.
        """
        row = self.characters.get(tenant, character_id)
        if row is None or row.updated_at < origin.at:
            return None
        return row, row.created_at >= origin.at

    def __call__(self, tenant: str, request: CharacterRequest) -> SavedCharacter:
        """Create the character (version 1), or its next version."""
        prepared = self.prepare(tenant, request)
        self.save(prepared)
        return prepared.character, prepared.character.version == 1

    def _fetch(self, tenant: str, path: str, request: ReferenceRequest) -> tuple[Reference, bytes]:
        try:
            data, facts = self.source.fetch(request.url)
        except (BadReference, DownloadFailed, UnsafeUrl) as error:
            if isinstance(error, DownloadFailed) and error.retryable:
                # Asking again later may help: 503, not a refusal.
                error.errors = (FieldError(path, error.detail),)
                raise
            raise BadReference(error.detail, (FieldError(path, error.detail),)) from error
        # Named by content: the same picture is stored once per tenant.
        key = f"references/{tenant}/{facts.sha256}.{facts.extension}"
        reference = Reference(
            id=new_id("ref", self.clock(), self.entropy(10)),
            role=request.role,
            angle=request.angle,
            key=key,
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
            size_bytes=facts.size_bytes,
            sha256=facts.sha256,
        )
        return reference, data


@dataclass(frozen=True)
class ReadCharacter:
    characters: Characters

    def __call__(self, tenant: str, character_id: str) -> Character:
        character = self.characters.get(tenant, character_id)
        if character is None:
            raise NotFound(f"There is no character {character_id!r}.")
        return character
