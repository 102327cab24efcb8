"""Replicate's files: uploaded with the token, read back by the account and by its models."""

import hashlib
import json
import re
import time
from email.message import Message
from email.parser import BytesParser
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.files import random_name
from local.simulators.jobs import timestamp
from local.simulators.replicate.access import check_token, not_found, refusal
from local.simulators.settings import ReplicateSettings
from local.simulators.simulator import Simulator

LIFE_SECONDS = 24 * 3600.0
MAX_BYTES = 100 * 1024 * 1024
BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


class Uploads:
    def __init__(self, simulator: Simulator[ReplicateSettings]) -> None:
        self._simulator = simulator
        self._records: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[Route]:
        counted = self._simulator.counted
        return [
            counted("/v1/files", self.create, "POST"),
            counted("/v1/files", self.list, "GET"),
            counted("/v1/files/{id}", self.get, "GET"),
            counted("/v1/files/{id}", self.delete, "DELETE"),
        ]

    async def create(self, request: Request) -> Response:
        refused = check_token(request, self._simulator.settings)
        if refused is not None:
            return refused
        failing = self._simulator.settings.upload_error_status
        if failing is not None:
            return refusal(failing, "Upload failed", "Please try again later.")
        parts = read_multipart(request.headers.get("content-type", ""), await request.body())
        if "content" not in parts:
            return refusal(422, "Input validation failed", "- content is required\n")
        headers, data = parts["content"]
        if len(data) > MAX_BYTES:
            return refusal(413, "Payload too large", f"The limit is {MAX_BYTES} bytes.")
        _, metadata = parts.get("metadata", (headers, b"{}"))
        try:
            record = self._record(headers, data, json.loads(metadata))
        except ValueError:
            return refusal(422, "Input validation failed", "- metadata: Must be JSON\n")
        self._records[record["id"]] = record
        media_type, until = record["content_type"], time.time() + LIFE_SECONDS
        self._simulator.files.put(_route(record["id"]), data, media_type, expires_at=until)
        return JSONResponse(record, 201)

    async def list(self, request: Request) -> Response:
        refused = check_token(request, self._simulator.settings)
        if refused is not None:
            return refused
        stored = [record for name, record in self._records.items() if self._data(name) is not None]
        return JSONResponse({"previous": None, "next": None, "results": stored[::-1]})

    async def get(self, request: Request) -> Response:
        """What is known of the file; its content is for models only."""
        name = request.path_params["id"]
        refused = check_token(request, self._simulator.settings)
        if refused is None and self._data(name) is None:
            refused = not_found()
        return refused or JSONResponse(self._records[name])

    async def delete(self, request: Request) -> Response:
        name = request.path_params["id"]
        refused = check_token(request, self._simulator.settings)
        if refused is None and self._data(name) is None:
            refused = not_found()
        if refused is not None:
            return refused
        self._simulator.files.remove(_route(name))
        return Response(status_code=204)

    def read(self, url: str) -> bytes | None:
        """For a model: the file behind the URL of an upload, None for any other URL.

        ValueError if there is no such file (any more).
        """
        at, _, name = url.rpartition("/")
        if at != f"{self._simulator.base_url}/v1/files":
            return None
        data = self._data(name)
        if data is None:
            raise ValueError("HTTP 404")
        return data

    def _data(self, name: str) -> bytes | None:
        found = self._simulator.files.get(_route(name))
        return None if found is None else found[1]

    def _record(self, headers: Message, data: bytes, metadata: Any) -> dict[str, Any]:
        name, now = random_name(26), time.time()
        return {
            "id": name,
            "name": headers.get_filename("file"),
            "content_type": headers.get_content_type(),
            "size": len(data),
            "etag": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "checksums": {"sha256": hashlib.sha256(data).hexdigest()},
            "metadata": metadata,
            "created_at": timestamp(now),
            "expires_at": timestamp(now + LIFE_SECONDS),
            "urls": {"get": f"{self._simulator.base_url}/v1/files/{name}"},
        }


def _route(name: str) -> str:
    return f"uploads/{name}"


def read_multipart(content_type: str, body: bytes) -> dict[str, tuple[Message, bytes]]:
    """The parts of a form by name: their headers and their content; {} if it is no form."""
    found = BOUNDARY.search(content_type)
    if found is None:
        return {}
    parts: dict[str, tuple[Message, bytes]] = {}
    for part in body.split(f"--{found[1]}".encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesParser().parsebytes(head)
        name = headers.get_param("name", header="content-disposition")
        parts[str(name)] = (headers, data.removesuffix(b"\r\n"))
    return parts
