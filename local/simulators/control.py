"""/_control/*: settings, what happened so far, reset. No provider has these."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulators.settings import Settings
from local.simulators.simulator import Simulator

IDLE_CHECK_SECONDS = 0.02


class Control[S: Settings]:
    def __init__(self, simulator: Simulator[S], rotate_keys: Callable[[], dict[str, Any]]) -> None:
        self._simulator = simulator
        self._rotate_keys = rotate_keys

    def routes(self) -> list[Route]:
        return [
            Route("/_control/health", self.health),
            Route("/_control/settings", self.show_settings, methods=["GET"]),
            Route("/_control/settings", self.change_settings, methods=["PATCH"]),
            Route("/_control/predictions", self.predictions),
            Route("/_control/summary", self.summary),
            Route("/_control/idle", self.idle),
            Route("/_control/reset", self.reset, methods=["POST"]),
            Route("/_control/rotate-keys", self.rotate_keys, methods=["POST"]),
        ]

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "provider": self._simulator.name})

    async def show_settings(self, _: Request) -> Response:
        return JSONResponse(self._simulator.settings.model_dump(mode="json"))

    async def change_settings(self, request: Request) -> Response:
        """Nothing is changed unless all of it is valid."""
        try:
            patch = await request.json()
            if not isinstance(patch, dict):
                raise TypeError("the body must be a JSON object")
            self._simulator.change(patch)
        except ValidationError as error:
            problems = [
                {"path": ".".join(str(part) for part in each["loc"]), "message": each["msg"]}
                for each in error.errors()
            ]
            return JSONResponse({"errors": problems}, 400)
        except (json.JSONDecodeError, TypeError) as error:
            return JSONResponse({"errors": [{"path": "", "message": str(error)}]}, 400)
        return await self.show_settings(request)

    async def predictions(self, _: Request) -> Response:
        rows = [job.row() for job in self._simulator.book.jobs.values()]
        return JSONResponse({**self._simulator.book.summary(), "predictions": rows})

    async def summary(self, _: Request) -> Response:
        return JSONResponse(self._simulator.book.summary())

    async def idle(self, request: Request) -> Response:
        """Answers when no job runs and no delivery is under way, or with 504."""
        try:
            async with asyncio.timeout(float(request.query_params.get("timeout", "30"))):
                while not self._simulator.idle:  # noqa: ASYNC110 (many tasks come and go)
                    await asyncio.sleep(IDLE_CHECK_SECONDS)
        except TimeoutError:
            return JSONResponse({"status": "busy", **self._simulator.book.summary()}, 504)
        return JSONResponse({"status": "idle", **self._simulator.book.summary()})

    async def reset(self, request: Request) -> Response:
        """Forget all jobs, files, counts and pending deliveries; settings as at the start."""
        keep = request.query_params.get("keep_settings", "") in ("1", "true")
        await self._simulator.reset(keep_settings=keep)
        return JSONResponse({"status": "reset"})

    async def rotate_keys(self, _: Request) -> Response:
        return JSONResponse(self._rotate_keys())


def file_route[S: Settings](simulator: Simulator[S], *, expire: bool) -> Route:
    """The CDN: public to anyone who has the URL. Replicate's files die with the results."""

    async def serve(request: Request) -> Response:
        found = simulator.files.get(f"files/{request.path_params['name']}")
        if found is None:
            return Response("Not Found", 404, media_type="text/plain")
        stored, data = found
        if expire and time.time() - stored.stored_at > simulator.settings.retention_seconds:
            return Response("Not Found", 404, media_type="text/plain")
        return Response(data, media_type=stored.media_type)

    return simulator.counted("/files/{name:path}", serve, "GET", "/files")
