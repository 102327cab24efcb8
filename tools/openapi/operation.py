"""The words in which an operation is described."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import InvalidRequest, NotFound, PayloadTooLarge
from storyhook.http.problems import NotJson

if TYPE_CHECKING:
    from pydantic import BaseModel

    from storyhook.domain.errors import StoryhookError

JSON = "application/json"


@dataclass(frozen=True)
class Parameter:
    """In the query, and never required."""

    name: str
    text: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One status of an operation. `shape` is a type of `answers`, or None for what is no JSON.

    `links`: operation -> parameter, for what can be done next with the `id` of the answer.
    `exemplary`: whether real ones are shown.
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
    body, of an id in the path.
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
    refusals: tuple[type[StoryhookError], ...] = ()
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
    def all_refusals(self) -> tuple[type[StoryhookError], ...]:
        found: list[type[StoryhookError]] = []
        if not self.public:
            found.append(InvalidRequest)
        if self.body:
            found += [NotJson, PayloadTooLarge]
        if self.path_parameters:
            found.append(NotFound)
        return tuple(dict.fromkeys([*found, *self.refusals]))
