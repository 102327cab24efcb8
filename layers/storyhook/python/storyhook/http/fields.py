"""The kinds of bodies and fields in what callers send, and what is wrong with them."""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationInfo,
    WithJsonSchema,
)

from storyhook.domain.callback import EVENTS
from storyhook.domain.fallback import MAX_FALLBACKS
from storyhook.domain.seeds import MAX_SEED
from storyhook.domain.story import MAX_CANDIDATES, MAX_PROMPT_CHARACTERS
from storyhook.http.reading import ID_PATTERN


class Body(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        frozen=True,
        # A function builds the schemas of the bodies it gets, not of all.
        defer_build=True,
    )


Id = Annotated[str, Field(pattern=f"^{ID_PATTERN}$")]
Text = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT_CHARACTERS)]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Seed = Annotated[StrictInt, Field(ge=0, le=MAX_SEED)]
Models = Annotated[tuple[ShortText, ...], Field(max_length=MAX_FALLBACKS)]
# How often one picture may be paid for, should a provider's answer to a submission get lost.
PaidAttempts = Annotated[StrictInt, Field(ge=1, le=3)]

_USD = r"^\d{1,6}(\.\d{1,4})?$"


def _usd(value: object) -> Decimal:
    """Text: a number of JSON would bring its rounding along."""
    if not (isinstance(value, str) and re.fullmatch(_USD, value, re.ASCII)):
        raise ValueError('an amount of USD is a text such as "1.00", with at most four decimals')
    return Decimal(value)


Money = Annotated[
    Decimal, BeforeValidator(_usd), WithJsonSchema({"type": "string", "pattern": _USD})
]
Candidates = Annotated[StrictInt, Field(ge=1, le=MAX_CANDIDATES)]
QueueTimeout = Annotated[StrictInt, Field(ge=60, le=86400)]


def each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a character is named twice; name each once")
    return names


Cast = Annotated[
    tuple[Id, ...],
    # What only the validator knows is told to the API's description.
    Field(max_length=32, json_schema_extra={"uniqueItems": True}),
    AfterValidator(each_once),
]
Kind = Literal["character", "location", "prop"]
Role = Literal["face", "full_body", "outfit", "pose", "style", "place", "object"]
Angle = Literal["front", "three_quarter", "profile", "back"]
RowId = Annotated[str, Field(pattern=r"^[a-z]+_[A-Za-z0-9]{1,40}$")]
Version = Annotated[StrictInt, Field(ge=1, le=999_999)]
AspectRatio = Annotated[str, Field(pattern=r"^[1-9]\d?:[1-9]\d?$")]
WithoutReferences = Literal["refuse", "describe"]


def _known_events(names: tuple[str, ...]) -> tuple[str, ...]:
    """Each event once, in the order of the story."""
    for name in names:
        if name not in EVENTS:
            raise ValueError(f"there is no event {name!r}; choose from {', '.join(EVENTS)}")
    return tuple(event for event in EVENTS if event in names)


def _events_have_an_address(events: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    # Absent from the data, a URL is wrong, and its own error is told.
    if info.data.get("callback_url", "") is None:
        raise ValueError("give a callback_url to send them to, or leave them out")
    return events


CallbackEvents = Annotated[
    tuple[Annotated[ShortText, Field(json_schema_extra={"enum": [*EVENTS]})], ...],
    Field(min_length=1, max_length=10),
    AfterValidator(_known_events),
    AfterValidator(_events_have_an_address),
]
