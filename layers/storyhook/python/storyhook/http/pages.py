"""The public pages. The files are made by the layer's build (tools/pages.py), each gzipped."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

Event = dict[str, Any]

_HTML, _JS, _CSS = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css"
_DOCUMENT, _DOCS, _PROBLEMS = "openapi.json", "docs.html", "problems.json"
_BOARD = "board.html"
_STYLES = ("swagger-ui.css", "docs.css", "board.css")
_SCRIPTS = ("swagger-ui-bundle.js", "docs.js", "board.js", "reader.js", "panels.js", "closeup.js")
ASSETS = {**dict.fromkeys(_STYLES, _CSS), **dict.fromkeys((*_SCRIPTS, "words.js"), _JS)}
_TYPES = {_DOCUMENT: "application/json", _DOCS: _HTML, _BOARD: _HTML, **ASSETS}
FILES = (*_TYPES, _PROBLEMS)

# Nothing of another host, and no script or style in the pages themselves. Swagger UI has its
# icons as data; requests go to this API alone.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src data: "
)
# No text may become HTML or a script in a board's page.
_TEXT_STAYS_TEXT = "; require-trusted-types-for 'script'; trusted-types 'none'"
_HEADERS = {
    "content-security-policy": f"{_POLICY}'self'",
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
<p>{what}</p>
<p>The problem's <code>detail</code> says what happened and what to do, and its <code>errors</code>,
if it has any, which fields are meant.</p>
<p><a href="../docs">The API's documentation</a></p>
</main>
</html>
"""


@dataclass(frozen=True)
class Pages:
    """`image_origins`: where presigned URLs lead, as sources of a Content-Security-Policy."""

    folder: Path
    image_origins: str

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
            case "GET /storyboards/{storyboard_id}/view":
                page = self._file(event, _BOARD)
                policy = f"{_POLICY}{self.image_origins}{_TEXT_STAYS_TEXT}"
                page["headers"]["content-security-policy"] = policy
                return page
            case "GET /problems/{slug}":
                return _answer(_HTML, self._problem(parameters["slug"]))
        raise NotFound("There is no such page; GET /docs is one.")

    def _file(self, event: Event, name: str) -> Event:
        packed = self._packed(name)
        if "gzip" not in event["headers"].get("accept-encoding", ""):
            return _answer(_TYPES[name], gzip.decompress(packed).decode())
        answer = _answer(_TYPES[name], base64.b64encode(packed).decode())
        answer["headers"] |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        return answer | {"isBase64Encoded": True}

    def _packed(self, name: str) -> bytes:
        return (self.folder / f"{name}.gz").read_bytes()

    def _problem(self, slug: str) -> str:
        """What a problem's type means, as docs/errors.md has it; raises NotFound."""
        known = json.loads(gzip.decompress(self._packed(_PROBLEMS)))
        if slug not in known:
            raise NotFound(f"There is no problem {slug[:80]!r}.")
        texts = {name: _html(text) for name, text in known[slug].items()}
        return _PROBLEM.format(slug=slug, **texts)


def _answer(content_type: str, body: str) -> Event:
    headers = {"content-type": content_type, **_HEADERS}
    return {"statusCode": HTTPStatus.OK, "headers": headers, "body": body}


def _html(markdown: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(markdown))
