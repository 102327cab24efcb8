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
    ("GET", "/storyboards/<storyboard_id>/view"),
    ("GET", "/problems/<slug>"),
)


def no_route(method: str, path: str, routes: Iterable[tuple[str, str]]) -> StoryhookError:
    """For a request that none of `routes`, by method and pattern, has answered."""
    known = [*routes, *ELSEWHERE]
    methods = {each for each, pattern in known if _matches(pattern, path)}
    # A route that takes the method has not: then it is an id that no route would read.
    if methods and method not in methods:
        return MethodNotAllowed(tuple(sorted(methods)))
    return NotFound("There is no such route; the README lists them.")


def _matches(pattern: str, path: str) -> bool:
    return re.fullmatch(re.sub("<[a-z_]+>", "[^/]+", pattern), path) is not None
