"""Shared links to storyboards."""

from typing import Annotated, TypedDict

from pydantic import Field

from tools.openapi.answers.base import Time


class Share(TypedDict):
    id: str
    storyboard_id: str
    created_at: Time
    expires_at: Time
    revoked_at: Time | None


class NewShare(Share):
    url: Annotated[
        str | None,
        Field(description="Of the page, with the secret; null when the request is repeated."),
    ]
    secret: Annotated[
        str | None,
        Field(
            pattern="^shr_",
            description="In place of an API key, for this board alone; null as `url` is.",
        ),
    ]
