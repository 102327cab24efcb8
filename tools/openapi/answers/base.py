"""What all answers share: kinds of fields, lists, refusals."""

from typing import Annotated, Any, NotRequired, TypedDict

from pydantic import Field

Time = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, in UTC.")
]
Usd = Annotated[str, Field(pattern=r"^\d+\.\d{4,}$", description="USD, as a decimal text.")]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Path = Annotated[
    str, Field(description="Below the API's URL.", json_schema_extra={"format": "uri-reference"})
]


class Urls(TypedDict):
    self: Path


class Page[Item](TypedDict):
    items: list[Item]
    next_cursor: Annotated[
        str | None, Field(description="The next page's cursor; null on the last.")
    ]


class Nothing(TypedDict):
    pass


AnyObject = dict[str, Any]


class FieldProblem(TypedDict):
    path: Annotated[str, Field(examples=["scenes[2].characters[0]"])]
    message: str


class Problem(TypedDict):
    """RFC 9457."""

    type: Annotated[Path, Field(description="Stable; the page there says what to do.")]
    title: str
    status: int
    detail: Annotated[str, Field(description="One sentence that says what to do.")]
    errors: NotRequired[list[FieldProblem]]


class GatewayMessage(TypedDict):
    """What API Gateway answers by itself, before a request meets Storyhook."""

    message: str
