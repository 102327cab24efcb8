"""The words in which an operation is described."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storyhook.domain import errors
from storyhook.http.problems import NotJson, UnsupportedMediaType

if TYPE_CHECKING:
    from pydantic import BaseModel

JSON = "application/json"
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True)
class Parameter:
    """Of the path, where it is required; or of the query or the headers, where it never is."""

    name: str
    text: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One status of an operation. `shape` is a type of `answers`, or None for what is no JSON.

    `headers`: those that are there beside what follows from the operation. `links`: operation ->
    parameter, for what can be done next with the `id` of the answer. `exemplary`: whether real
    ones are shown.
    """

    text: str
    shape: Any = None
    content_types: tuple[str, ...] = (JSON,)
    headers: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    exemplary: bool = True


@dataclass(frozen=True)
class Operation:
    """One route.

    Refusals that follow from the form of a route are not to be told: of what it does not know, of a
    body, of an id in the path, of an Idempotency-Key (`once`).
    """

    id: str
    route: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    text: str = ""
    body: type[BaseModel] | None = None
    body_required: bool = True
    query: tuple[Parameter, ...] = ()
    refusals: tuple[type[errors.StoryhookError], ...] = ()
    once: bool = False
    public: bool = False

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.route.partition(" ")[2]

    @property
    def path_parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def reads(self) -> bool:
        """Whether it has an ETag: what the reader has is not sent again."""
        return self.method == "GET" and not self.public

    @property
    def all_refusals(self) -> tuple[type[errors.StoryhookError], ...]:
        found: list[type[errors.StoryhookError]] = []
        if not self.public:
            found += [errors.InvalidRequest, errors.MissingScope, errors.Busy]
        if self.body:
            found += [NotJson, errors.PayloadTooLarge, UnsupportedMediaType]
        if self.path_parameters:
            found.append(errors.NotFound)
        if self.once:
            found += [errors.IdempotencyKeyReused, errors.RequestInProgress]
        return tuple(dict.fromkeys([*found, *self.refusals]))
