"""The public pages. The files are made by the layer's build (tools/pages.py), each gzipped."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import NotFound, StoryhookError
from storyhook.domain.outcome import RULES, FailureKind
from storyhook.http.problems import status_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Event = dict[str, Any]

_HTML, _JS, _CSS = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css"
_DOCUMENT, _DOCS = "openapi.json", "docs.html"
ASSETS = {"swagger-ui.css": _CSS, "swagger-ui-bundle.js": _JS, "docs.css": _CSS, "docs.js": _JS}
FILES = {_DOCUMENT: "application/json", _DOCS: _HTML, **ASSETS}

# Nothing of another host, and no script or style in the pages themselves. Swagger UI has its
# icons as data; requests go to this API alone.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "public, max-age=300",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PROBLEM = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="../docs/docs.css">
<main class="problem">
<p><code>/problems/{slug}</code></p>
<h1>{title}</h1>
<p>{where}</p>
<p>The problem's <code>detail</code> says what happened and what to do, and its <code>errors</code>,
if it has any, which fields are meant.</p>
<p><a href="../docs">The API's documentation</a></p>
</main>
</html>
"""


@dataclass(frozen=True)
class Pages:
    folder: Path

    def __call__(self, event: Event) -> Event:
        """The answer to a request of one of the public routes; raises NotFound."""
        parameters = event.get("pathParameters") or {}
        match event["routeKey"]:
            case "GET /openapi.json":
                return self._file(event, _DOCUMENT)
            case "GET /docs":
                return self._file(event, _DOCS)
            case "GET /docs/{file}" if parameters["file"] in ASSETS:
                return self._file(event, parameters["file"])
            case "GET /problems/{slug}":
                return _answer(_HTML, problem_page(parameters["slug"]))
        raise NotFound("There is no such page; GET /docs is one.")

    def _file(self, event: Event, name: str) -> Event:
        packed = (self.folder / f"{name}.gz").read_bytes()
        if "gzip" not in event["headers"].get("accept-encoding", ""):
            return _answer(FILES[name], gzip.decompress(packed).decode())
        answer = _answer(FILES[name], base64.b64encode(packed).decode())
        answer["headers"] |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        return answer | {"isBase64Encoded": True}


def _answer(content_type: str, body: str) -> Event:
    headers = {"content-type": content_type, **_HEADERS}
    return {"statusCode": HTTPStatus.OK, "headers": headers, "body": body}


def problem_page(slug: str) -> str:
    """What a problem's type means; raises NotFound."""
    refusals = {kind.slug: kind for kind in _below(StoryhookError)}
    if slug in refusals:
        kind = refusals[slug]
        title, where = kind.title, f"A request was refused, with status {status_of(kind)}."
    elif slug in set(FailureKind):
        rule = RULES[FailureKind(slug)]
        title, where = rule.title, "A prediction, or a scene, ended without a picture."
        if rule.retryable:
            where += " A new one may succeed, and this one was not paid."
    else:
        raise NotFound(f"There is no problem {slug[:80]!r}.")
    return _PROBLEM.format(slug=slug, title=escape(title), where=escape(where))


def _below(kind: type[StoryhookError]) -> Iterator[type[StoryhookError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
