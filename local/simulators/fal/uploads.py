"""fal's storage: rest.fal.ai hands out tokens and signed URLs, v3.fal.media keeps the files."""

import json
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.fal.access import check_key
from local.simulators.fal.provider import cdn_route
from local.simulators.settings import FalSettings
from local.simulators.simulator import Simulator

TOKEN_LIFE = timedelta(hours=1)
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Promised:
    """A file that was announced: where it will be, and what its signed URL allows."""

    route: str
    media_type: str
    expires_at: float | None


class Uploads:
    def __init__(self, simulator: Simulator[FalSettings]) -> None:
        self._simulator = simulator
        self._tokens: dict[str, datetime] = {}
        self._promised: dict[str, Promised] = {}

    def routes(self) -> list[Route]:
        counted = self._simulator.counted
        return [
            counted("/storage/auth/token", self.token, "POST"),
            counted("/files/upload", self.upload, "POST"),
            counted("/storage/upload/initiate", self.initiate, "POST"),
            counted("/storage/upload/{ticket}", self.put, "PUT", "/storage/upload"),
        ]

    async def token(self, request: Request) -> Response:
        """For v3.fal.media, which does not take the key itself."""
        refused = check_key(request, self._simulator.settings)
        if refused is not None:
            return refused
        token, expires_at = secrets.token_urlsafe(32), datetime.now(UTC) + TOKEN_LIFE
        self._tokens[token] = expires_at
        return JSONResponse(
            {
                "token": token,
                "token_type": "Bearer",
                "base_url": self._simulator.base_url,
                "expires_at": expires_at.isoformat(),
            }
        )

    async def upload(self, request: Request) -> Response:
        """The whole file in one request; the answer says where it is from now on."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        valid_until = self._tokens.get(token)
        if scheme != "Bearer" or valid_until is None or valid_until < datetime.now(UTC):
            return JSONResponse({"detail": "Unauthorized"}, 401)
        failing = self._simulator.settings.upload_error_status
        if failing is not None:
            return JSONResponse({"detail": "Upload failed"}, failing)
        headers = request.headers
        promised = _promise(request, headers.get("x-fal-file-name"), headers.get("content-type"))
        await self._keep(promised, request)
        return JSONResponse({"access_url": f"{self._simulator.base_url}/{promised.route}"})

    async def initiate(self, request: Request) -> Response:
        """The older way, and the client's second: a signed URL to put the file to."""
        refused = check_key(request, self._simulator.settings)
        if refused is not None:
            return refused
        try:
            body = json.loads(await request.body())
            promised = _promise(request, body["file_name"], body["content_type"])
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"detail": f"Invalid body: {error!r}"}, 422)
        ticket = secrets.token_hex(16)
        self._promised[ticket] = promised
        base = self._simulator.base_url
        upload_url = f"{base}/storage/upload/{ticket}"
        return JSONResponse({"upload_url": upload_url, "file_url": f"{base}/{promised.route}"})

    async def put(self, request: Request) -> Response:
        """No key here: the URL itself is the permission, once, and for one content type."""
        promised = self._promised.get(request.path_params["ticket"])
        if promised is None or request.headers.get("content-type") != promised.media_type:
            return Response("SignatureDoesNotMatch", 403, media_type="text/plain")
        del self._promised[request.path_params["ticket"]]
        await self._keep(promised, request)
        return Response()

    async def _keep(self, promised: Promised, request: Request) -> None:
        data = await request.body()
        until = promised.expires_at
        self._simulator.files.put(promised.route, data, promised.media_type, expires_at=until)


def _promise(request: Request, name: str | None, media_type: str | None) -> Promised:
    """Under the name it was given, for as long as the lifecycle header says."""
    lifecycle: dict[str, Any] = json.loads(request.headers.get("x-fal-object-lifecycle", "{}"))
    seconds = lifecycle.get("expiration_duration_seconds")
    return Promised(
        route=cdn_route(f"_{UNSAFE.sub('-', name)}" if name else ".bin"),
        media_type=media_type or "application/octet-stream",
        expires_at=None if seconds is None else time.time() + seconds,
    )
