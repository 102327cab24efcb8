"""What all answers share: typed fields, and whatever else the API has said.

An answer of a newer stack has fields that are not named here: they are kept (`model_extra`), and
`to_json()` is the document as it came. Nothing that may be missing is required, since a very long
board comes with less of each scene.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from storyhook_client.errors import UnexpectedAnswer

Json = dict[str, Any]
Moment = AwareDatetime
Money = Decimal
"""USD."""

A = TypeVar("A", bound="Answer")


class Answer(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    _document: Json = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep(cls: type[A], document: Any, handler: ModelWrapValidatorHandler[A]) -> A:
        answer = handler(document)
        if answer is not document:  # a default is no document
            answer._document = document  # noqa: SLF001 - its own
        return answer

    @classmethod
    def of(cls: type[A], document: Mapping[str, Any]) -> A:
        """Raises UnexpectedAnswer."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise UnexpectedAnswer(
                f"not a {cls.__name__} as this client knows it: {error}"
            ) from error

    def to_json(self) -> Json:
        """The document as it came."""
        return self._document


class Urls(Answer):
    self: str | None = None
    cancel: str | None = None
    events: str | None = None
    replay: str | None = None
    versions: str | None = None
    stale: str | None = None
    storyboard: str | None = None
