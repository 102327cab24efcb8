"""What a model lets callers set: one small rule per kind of value, made from the catalogue's data.

`accept` gives the value as it is sent, or raises ValueError; `expectation` tells the limits as the
refusal does. A value that is accepted can be sent to the provider as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlsplit

from storyhook.domain.pricing import Size

_MAX_URL = 2048
# One picture format has two names: fal says jpeg, Replicate jpg.
_SAME = {"jpg": "jpeg", "jpeg": "jpg"}


class Rule(Protocol):
    def accept(self, value: Any) -> Any: ...

    def expectation(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str, ...]

    def accept(self, value: Any) -> str:
        # fal takes digits as text, Replicate as numbers; people should not have to know.
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name in (text, _SAME.get(text) if isinstance(text, str) else None):
            if isinstance(name, str) and name in self.values:
                return name
        raise ValueError

    def expectation(self) -> str:
        return "one of " + ", ".join(f'"{value}"' for value in self.values)


@dataclass(frozen=True, slots=True)
class Integer:
    least: int
    most: int

    def accept(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError
        if not self.least <= value <= self.most:
            raise ValueError
        return value

    def expectation(self) -> str:
        return f"a whole number from {self.least} to {self.most}"


@dataclass(frozen=True, slots=True)
class Number:
    least: Decimal
    most: Decimal

    def accept(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        if not self.least <= Decimal(str(value)) <= self.most:
            raise ValueError
        return value

    def expectation(self) -> str:
        return f"a number from {self.least} to {self.most}"


@dataclass(frozen=True, slots=True)
class Boolean:
    def accept(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    def expectation(self) -> str:
        return "true or false"


@dataclass(frozen=True, slots=True)
class Text:
    most: int

    def accept(self, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= self.most:
            raise ValueError
        return _sendable(value)

    def expectation(self) -> str:
        return f"a text of at most {self.most} characters"


@dataclass(frozen=True, slots=True)
class Url:
    """The provider fetches it, not we; a reference:// of ours must not be smuggled in."""

    def accept(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > _MAX_URL:
            raise ValueError
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or parts.username is not None:
            raise ValueError
        # urlsplit lets some of them pass unseen; providers may read them in their own way.
        if any(character.isspace() or not character.isprintable() for character in value):
            raise ValueError
        return _sendable(value)

    def expectation(self) -> str:
        return "an https URL that the provider can fetch"


@dataclass(frozen=True, slots=True)
class UrlByCharacter:
    def accept(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not value:
            raise ValueError
        return {name: Url().accept(url) for name, url in value.items()}

    def expectation(self) -> str:
        return "an object from a character's id to an https URL"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of objects, such as LoRAs: `fields` by name, of which `needs` must be there."""

    fields: Mapping[str, Rule]
    needs: tuple[str, ...]
    most: int

    def accept(self, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not 0 < len(value) <= self.most:
            raise ValueError
        return [self._item(item) for item in value]

    def _item(self, item: Any) -> dict[str, Any]:
        if (
            not isinstance(item, dict)
            or set(item) - set(self.fields)
            or set(self.needs) - set(item)
        ):
            raise ValueError
        return {name: self.fields[name].accept(value) for name, value in item.items()}

    def expectation(self) -> str:
        parts = "; ".join(f"{name}: {rule.expectation()}" for name, rule in self.fields.items())
        return f"a list of at most {self.most} objects ({parts})"


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture's size: a preset's name, or {"width": w, "height": h}. Sent as the latter."""

    sides: tuple[int, int]
    multiple_of: int
    presets: Mapping[str, Size]

    def accept(self, value: Any) -> dict[str, int]:
        if isinstance(value, str) and value in self.presets:
            value = dict(zip(("width", "height"), self.presets[value], strict=True))
        if not isinstance(value, dict) or set(value) != {"width", "height"}:
            raise ValueError
        side = Integer(*self.sides)
        size = {name: side.accept(length) for name, length in value.items()}
        if any(length % self.multiple_of for length in size.values()):
            raise ValueError
        return size

    def expectation(self) -> str:
        names = "".join(f'"{name}", ' for name in self.presets)
        return (
            f'{names}or {{"width": w, "height": h}} of {self.sides[0]} to {self.sides[1]} '
            f"pixels in steps of {self.multiple_of}"
        )


@dataclass(frozen=True, slots=True)
class Option:
    """A rule, what is sent when nothing is asked for, and a lower limit beside references."""

    rule: Rule
    default: Any = None
    max_with_references: int | None = None

    def __post_init__(self) -> None:
        if self.default is None:
            return
        try:
            self.rule.accept(self.default)
        except ValueError as error:
            raise ValueError(
                f"the default {self.default!r} is not {self.rule.expectation()}"
            ) from error

    def expectation(self) -> str:
        text = self.rule.expectation()
        if self.max_with_references is not None:
            text += f", at most {self.max_with_references} with a reference"
        return text

    def accept(self, value: Any, *, with_references: bool) -> Any:
        accepted = self.rule.accept(value)
        limit = self.max_with_references
        if with_references and limit is not None and accepted > limit:
            raise ValueError
        return accepted


def _sendable(text: str) -> str:
    """JSON can hold half a surrogate pair, UTF-8 cannot: encoding it is a ValueError."""
    text.encode()
    return text


def parse(entry: Mapping[str, Any]) -> Option:
    """An option of the catalogue, such as `{ integers = [1, 50], default = 28 }`."""
    values = dict(entry)
    default = values.pop("default", None)
    with_references = values.pop("max_with_references", None)
    return Option(_rule(values), default, with_references)


def _rule(entry: Mapping[str, Any]) -> Rule:
    match dict(entry):
        case {"values": values, **rest} if not rest:
            return Choice(tuple(values))
        case {"integers": [int(least), int(most)], **rest} if not rest:
            return Integer(least, most)
        case {"numbers": [least, most], **rest} if not rest:
            return Number(Decimal(str(least)), Decimal(str(most)))
        case {"boolean": True, **rest} if not rest:
            return Boolean()
        case {"text": int(most), **rest} if not rest:
            return Text(most)
        case {"url": True, **rest} if not rest:
            return Url()
        case {"url_by_character": True, **rest} if not rest:
            return UrlByCharacter()
        case {"pixels": presets, "sides": [int(least), int(most)], "step": int(step), **rest} if (
            not rest
        ):
            return Pixels((least, most), step, presets)
        case {"list_of": fields, "needs": needs, "max": most, **rest} if not rest:
            rules = {name: _rule(field) for name, field in fields.items()}
            return Items(rules, tuple(needs), most)
        case _:
            raise ValueError(f"an option cannot be {dict(entry)}")
