"""Who may talk to Replicate, and how it words a refusal."""

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.replicate import bodies
from local.simulators.settings import ReplicateSettings

NO_TOKEN = "You did not pass a valid authentication token"


def check_token(request: Request, settings: ReplicateSettings) -> Response | None:
    """The refusal, if the request does not carry the account's token."""
    given = request.headers.get("authorization", "")
    if secrets.compare_digest(given.encode(), f"Bearer {settings.token}".encode()):
        return None
    return refusal(401, "Unauthenticated", NO_TOKEN)


def not_found() -> Response:
    return refusal(404, "Not found", "The requested resource could not be found.")


def refusal(status_code: int, title: str, detail: str) -> Response:
    return JSONResponse(
        bodies.problem(status_code, title, detail),
        status_code,
        media_type="application/problem+json",
    )
