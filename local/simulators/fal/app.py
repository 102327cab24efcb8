"""fal's HTTP interface: queue.fal.run, rest.fal.ai and the CDN v3.fal.media in one server."""

import asyncio
import json
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.control import Control, file_route
from local.simulators.delivery import Policy
from local.simulators.fal import bodies
from local.simulators.fal.access import NO_AUTH, check_key
from local.simulators.fal.provider import FalProvider
from local.simulators.fal.signing import FalSigner
from local.simulators.fal.uploads import Uploads
from local.simulators.faults import hits
from local.simulators.jobs import Job
from local.simulators.server import lose_answer
from local.simulators.settings import FalSettings
from local.simulators.simulator import Simulator
from local.simulators.validation import Problem, check_input

# "With growing delay ... up to a maximum of 31 retries ... about 1 hour": 54 minutes.
DELIVERY = Policy(15.0, 120.0, (5.0, 10.0, 20.0, 40.0, 80.0, *([120.0] * 26)))
EARLY_WEBHOOK_SECONDS = 20.0


def build(settings: FalSettings, listening_at: str) -> Starlette:
    simulator: Simulator[FalSettings] = Simulator("fal", settings)
    simulator.listening_at = listening_at
    signer = FalSigner(simulator)
    queue = Queue(simulator)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        simulator.open(FalProvider(simulator), signer, DELIVERY)
        yield
        await simulator.close()

    async def jwks(_: Request) -> Response:
        return JSONResponse(signer.jwks())

    root = "/{owner}/{alias}/requests/{request_id}"
    routes = [
        *Control(simulator, signer.rotate).routes(),
        file_route(simulator, expire=False),
        *Uploads(simulator).routes(),
        simulator.counted("/.well-known/jwks.json", jwks, "GET"),
        simulator.counted(f"{root}/status", queue.status, "GET", "status"),
        simulator.counted(f"{root}/response", queue.result, "GET", "result"),
        simulator.counted(root, queue.result, "GET", "result"),
        simulator.counted(f"{root}/cancel", queue.cancel, "PUT", "cancel"),
        simulator.counted("/{endpoint_id:path}", queue.submit, "POST", "submit"),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class Queue:
    def __init__(self, simulator: Simulator[FalSettings]) -> None:
        self._simulator = simulator

    async def submit(self, request: Request) -> Response:
        refused = check_key(request, self._simulator.settings)
        if refused is not None:
            return refused
        endpoint = request.path_params["endpoint_id"]
        model = self._simulator.model(endpoint)
        if model is None:
            return JSONResponse({"detail": f"Application '{endpoint}' not found"}, 404)
        given, problems = await _read_input(request)
        settings = self._simulator.settings
        faults = self._simulator.picker.pick(
            settings, endpoint, str(given.get("prompt", "")), given.get("seed")
        )
        refused = self._turned_away(request, faults)
        if refused is not None:
            return refused
        # The queue takes any input: wrong input fails later, when the model reads it.
        refuse_unknown = settings.unknown_inputs == "refuse"
        problems = problems or check_input(model, given, refuse_unknown=refuse_unknown)
        job = Job(
            id=str(uuid.uuid4()),
            endpoint=endpoint,
            model=model,
            input=given,
            webhook_url=request.query_params.get("fal_webhook"),
            faults=faults,
            seed=_seed(given),
            problems=tuple(problems),
            start_deadline=_start_deadline(request),
        )
        self._simulator.book.add(job)
        self._simulator.engine.accept(job)
        if "lost_answer" in faults:
            return await lose_answer(request, settings.lost_answer_status)
        if "early_webhook" in faults:
            await _wait(job.told, EARLY_WEBHOOK_SECONDS)
        position = self._simulator.engine.slots.waiting
        body = bodies.submit_answer(self._simulator.base_url, job, position)
        return JSONResponse(body, headers={"x-fal-request-id": job.id})

    async def status(self, request: Request) -> Response:
        settings = self._simulator.settings
        job, refused = self._find(request, even_expired=settings.expired_status == "kept")
        if job is None:
            return refused
        with_logs = request.query_params.get("logs", "").lower() in ("1", "true")
        position = self._simulator.engine.slots.position(job)
        body = bodies.status(self._simulator.base_url, job, position, settings, with_logs=with_logs)
        code = settings.pending_status_code if job.outcome is None else 200
        return JSONResponse(body, code, headers={"x-fal-request-id": job.id})

    async def result(self, request: Request) -> Response:
        job, refused = self._find(request)
        if job is None:
            return refused
        headers = {"x-fal-request-id": job.id}
        if job.outcome is None:
            return JSONResponse({"detail": "Request is still in progress"}, 400, headers=headers)
        settings = self._simulator.settings
        failed = bodies.failure(job, settings)
        if failed is not None:
            return JSONResponse(
                failed.body, failed.status_code, headers={**headers, **failed.headers}
            )
        headers["X-Fal-Billable-Units"] = str(job.bill.units)
        body = bodies.output(self._simulator.base_url, job, settings)
        return JSONResponse(body, headers=headers)

    async def cancel(self, request: Request) -> Response:
        job, refused = self._find(request)
        if job is None:
            if refused.status_code == 404:
                return JSONResponse({"status": "NOT_FOUND"}, 404)
            return refused
        if not self._simulator.engine.cancel(job):
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    def _find(self, request: Request, *, even_expired: bool = False) -> tuple[Job | None, Response]:
        """The job, if the key is right, the root app too and the result not yet expired."""
        refused = check_key(request, self._simulator.settings)
        if refused is not None:
            return None, refused
        if hits(self._simulator.settings.faults.refuse_auth, secrets.token_hex(8)):
            return None, self._auth_refusal()
        path = request.path_params
        gone = JSONResponse({"detail": "Request not found"}, 404)
        job = self._simulator.book.get(path["request_id"])
        if job is None or job.endpoint.split("/")[:2] != [path["owner"], path["alias"]]:
            return None, gone
        expired = job.expired(self._simulator.settings.retention_seconds)
        if expired and not even_expired:
            return None, gone
        return job, gone

    def _auth_refusal(self) -> Response:
        status = self._simulator.settings.refuse_auth_status
        text = NO_AUTH if status == 401 else "User is locked. Reason: Exhausted balance."
        return JSONResponse({"detail": text}, status)

    def _turned_away(self, request: Request, faults: frozenset[str]) -> Response | None:
        """Refusals after which certainly no job exists."""
        settings = self._simulator.settings
        if "refuse_auth" in faults:
            return self._auth_refusal()
        headers = {}
        if settings.retry_after is not None:
            headers["Retry-After"] = str(settings.retry_after)
        limit = request.query_params.get("fal_max_queue_length", "")
        too_long = limit.isdigit() and self._simulator.engine.slots.waiting >= int(limit)
        if "http_429" in faults or too_long:
            body = {
                "detail": "Concurrent requests limit reached",
                "type": "concurrent_requests_limit",
            }
            return JSONResponse(body, 429, headers={**headers, "X-Fal-needs-retry": "1"})
        if "http_5xx" in faults:
            body = {"detail": "Service temporarily unavailable"}
            return JSONResponse(body, settings.http_5xx_status, headers=headers)
        return None


async def _read_input(request: Request) -> tuple[dict[str, Any], list[Problem]]:
    try:
        given = json.loads(await request.body())
    except ValueError:
        return {}, [Problem((), "value_error.jsondecode")]
    if not isinstance(given, dict):
        return {}, [Problem((), "type_error.object", given, {"expected": "object"})]
    return given, []


def _seed(given: dict[str, Any]) -> int:
    seed = given.get("seed")
    # fal's own seeds go beyond 2^53, where a float would lose digits.
    return seed if isinstance(seed, int) else secrets.randbelow(2**62) + 2**53


def _start_deadline(request: Request) -> float | None:
    try:
        return float(request.headers["x-fal-request-timeout"])
    except (KeyError, ValueError):
        return None


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
