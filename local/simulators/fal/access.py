"""Who may talk to fal, and the answer to all others."""

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.settings import FalSettings

NO_AUTH = "Authentication is required to access this application."


def check_key(request: Request, settings: FalSettings) -> Response | None:
    """The refusal, if the request does not carry the account's key."""
    given = request.headers.get("authorization", "")
    if secrets.compare_digest(given.encode(), f"Key {settings.key}".encode()):
        return None
    return JSONResponse({"detail": NO_AUTH}, 401)
