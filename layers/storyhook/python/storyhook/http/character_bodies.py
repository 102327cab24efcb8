"""What callers may send of characters. Unknown fields are refused: see `requests`."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, model_validator

from storyhook.domain.requests import CharacterRequest, ReferenceRequest, SheetRequest
from storyhook.domain.story import MAX_REFERENCE_BYTES
from storyhook.http.fields import (
    Angle,
    Body,
    Id,
    Kind,
    Money,
    Role,
    RowId,
    Seed,
    ShortText,
    Text,
    Url,
    Version,
)

_SOURCES = ("url", "upload", "prediction")


class ReferenceBody(Body):
    url: Url | None = None
    upload: RowId | None = None
    prediction: RowId | None = None
    role: Role | None = None
    angle: Angle | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(_SOURCES)}")
        return self

    def to_request(self) -> ReferenceRequest:
        return ReferenceRequest(self.url, self.role, self.angle, self.upload, self.prediction)


class CharacterBody(Body):
    id: Id
    name: ShortText
    description: Text
    outfit: Text | None = None
    kind: Kind = "character"
    references: tuple[ReferenceBody, ...] = ()
    reference_image_url: Url | None = None

    def to_request(self) -> CharacterRequest:
        bodies = self.references
        if self.reference_image_url:
            bodies = (ReferenceBody(url=self.reference_image_url), *bodies)
        return CharacterRequest(
            id=self.id,
            name=self.name,
            description=self.description,
            outfit=self.outfit,
            kind=self.kind,
            references=tuple(body.to_request() for body in bodies),
        )


class CharacterChangeBody(Body):
    """What is not named stays; `version`, if given, must still be the newest."""

    # Not None: only the outfit can be taken away.
    name: ShortText = ""
    description: Text = ""
    outfit: Text | None = None
    kind: Kind = "character"
    version: Version | None = None

    @property
    def changes(self) -> dict[str, str | None]:
        return self.model_dump(exclude_unset=True, exclude={"version"})


class UploadBody(Body):
    content_type: Literal["image/png", "image/jpeg", "image/webp"]
    bytes: Annotated[StrictInt, Field(ge=1, le=MAX_REFERENCE_BYTES)] | None = None


class SheetBody(Body):
    model: ShortText | None = None
    angles: Annotated[tuple[Angle, ...], Field(min_length=1, max_length=4)] | None = None
    role: Literal["face", "full_body"] | None = None
    style: Text | None = None
    seed: Seed | None = None
    max_cost: Money | None = None
    callback_url: Url | None = None

    def to_request(self) -> SheetRequest:
        return SheetRequest(
            model=self.model,
            angles=self.angles,
            role=self.role,
            style=self.style,
            seed=self.seed,
            max_cost=self.max_cost,
            callback_url=self.callback_url,
        )
