"""What to say where there is no route: another method, or nothing at all."""

import re
from collections.abc import Iterable

from storyhook.domain.errors import NotFound, StoryhookError
from storyhook.http.problems import MethodNotAllowed

# Those that have functions of their own (template.yaml); all else comes to the api function.
ELSEWHERE = (
    ("POST", "/predictions"),
    ("POST", "/predictions/<prediction_id>/cancel"),
    ("POST", "/storyboards/<storyboard_id>/cancel"),
    ("POST", "/webhooks/<provider>/<token>"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/<file>"),
    ("GET", "/problems/<slug>"),
)


def no_route(path: str, routes: Iterable[tuple[str, str]]) -> StoryhookError:
    """For a request that none of `routes`, by method and pattern, has answered."""
    known = [*routes, *ELSEWHERE]
    methods = {method for method, pattern in known if _matches(pattern, path)}
    if methods:
        return MethodNotAllowed(tuple(sorted(methods)))
    return NotFound("There is no such route; the README lists them.")


def _matches(pattern: str, path: str) -> bool:
    return re.fullmatch(re.sub("<[a-z_]+>", "[^/]+", pattern), path) is not None
