"""Replicate's HTTP interface: api.replicate.com and replicate.delivery in one server."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.simulators.control import Control, file_route
from local.simulators.delivery import Policy
from local.simulators.faults import hits
from local.simulators.jobs import Job
from local.simulators.replicate import bodies
from local.simulators.replicate.access import NO_TOKEN, check_token, not_found, refusal
from local.simulators.replicate.create import ID_ALPHABET, Refused, Wanted, read_create
from local.simulators.replicate.provider import ReplicateProvider
from local.simulators.replicate.signing import ReplicateSigner
from local.simulators.replicate.uploads import Uploads
from local.simulators.server import lose_answer
from local.simulators.settings import ReplicateSettings
from local.simulators.simulator import Simulator

# "exponential, last retry about 1 minute after completion"
DELIVERY = Policy(10.0, 10.0, (1.0, 2.0, 4.0, 8.0, 16.0, 29.0))
EARLY_WEBHOOK_SECONDS = 20.0
PAGE = 100


def build(settings: ReplicateSettings, listening_at: str) -> Starlette:
    simulator: Simulator[ReplicateSettings] = Simulator("replicate", settings)
    simulator.listening_at = listening_at
    signer = ReplicateSigner(simulator)
    api = Api(simulator)
    uploads = Uploads(simulator)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        simulator.open(ReplicateProvider(simulator, uploads), signer, DELIVERY)
        yield
        await simulator.close()

    routes = [
        *Control(simulator, signer.rotate).routes(),
        file_route(simulator, expire=True),
        *uploads.routes(),
        simulator.counted("/v1/predictions", api.create, "POST"),
        simulator.counted("/v1/models/{owner}/{name}/predictions", api.create, "POST"),
        simulator.counted("/v1/predictions", api.list, "GET"),
        simulator.counted("/v1/predictions/{id}", api.get, "GET"),
        simulator.counted("/v1/predictions/{id}/cancel", api.cancel, "POST"),
        simulator.counted("/v1/webhooks/default/secret", api.secret, "GET"),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class Api:
    def __init__(self, simulator: Simulator[ReplicateSettings]) -> None:
        self._simulator = simulator

    async def create(self, request: Request) -> Response:
        refused = check_token(request, self._simulator.settings)
        if refused is not None:
            return refused
        settings = self._simulator.settings
        try:
            wanted = await read_create(
                request,
                self._simulator.catalogue,
                refuse_unknown=settings.unknown_inputs == "refuse",
            )
        except Refused as error:
            return refusal(error.status_code, error.title, error.detail)
        given = wanted.input
        faults = self._simulator.picker.pick(
            settings, wanted.endpoint, str(given.get("prompt", "")), given.get("seed")
        )
        refused = self._turned_away(faults)
        if refused is not None:
            return refused
        job = self._job(wanted, faults)
        self._simulator.book.add(job)
        self._simulator.engine.accept(job)
        if "lost_answer" in faults:
            return await lose_answer(request, settings.lost_answer_status)
        if "early_webhook" in faults:
            await _wait(job.told, EARLY_WEBHOOK_SECONDS)
        if wanted.wait_seconds is not None:
            await _wait(job.done, wanted.wait_seconds)
        in_time = wanted.wait_seconds is None or job.done.is_set()
        return self._answer(job, 201 if in_time else 202)

    async def get(self, request: Request) -> Response:
        job, refused = self._find(request)
        return refused if job is None else self._answer(job, 200)

    async def list(self, request: Request) -> Response:
        """Recent first, a page at a time."""
        refused = self._guard(request)
        if refused is not None:
            return refused
        simulator = self._simulator
        jobs = list(simulator.book.jobs.values())[::-1]
        cursor = request.query_params.get("cursor", "0")
        start = int(cursor) if cursor.isdigit() else 0
        page = jobs[start : start + PAGE]
        at = f"{simulator.base_url}/v1/predictions?cursor="
        return JSONResponse(
            {
                "previous": f"{at}{max(0, start - PAGE)}" if start else None,
                "next": f"{at}{start + PAGE}" if start + PAGE < len(jobs) else None,
                "results": [
                    bodies.prediction(simulator.base_url, job, simulator.settings) for job in page
                ],
            }
        )

    async def cancel(self, request: Request) -> Response:
        """Canceling what has ended changes nothing and is no error."""
        job, refused = self._find(request)
        if job is None:
            return refused
        if self._simulator.engine.cancel(job) and "cancel_ignored" not in job.faults:
            await _wait(job.done, 1.0)
        return self._answer(job, 200)

    async def secret(self, request: Request) -> Response:
        refused = self._guard(request)
        if refused is not None:
            return refused
        return JSONResponse({"key": self._simulator.settings.webhook_secret})

    def _job(self, wanted: Wanted, faults: frozenset[str]) -> Job:
        seed = wanted.input.get("seed")
        return Job(
            id="".join(secrets.choice(ID_ALPHABET) for _ in range(26)),
            endpoint=wanted.endpoint,
            model=wanted.model,
            input=wanted.input,
            webhook_url=wanted.webhook,
            events_filter=wanted.events_filter,
            faults=faults,
            seed=seed if isinstance(seed, int) else secrets.randbelow(2**31),
            start_deadline=wanted.cancel_after,
            run_deadline=wanted.cancel_after,
        )

    def _answer(self, job: Job, status_code: int) -> Response:
        simulator = self._simulator
        body = bodies.prediction(simulator.base_url, job, simulator.settings)
        return JSONResponse(body, status_code)

    def _find(self, request: Request) -> tuple[Job | None, Response]:
        refused = self._guard(request)
        if refused is not None:
            return None, refused
        return self._simulator.book.get(request.path_params["id"]), not_found()

    def _guard(self, request: Request) -> Response | None:
        refused = check_token(request, self._simulator.settings)
        if refused is None and hits(
            self._simulator.settings.faults.refuse_auth, secrets.token_hex(8)
        ):
            refused = self._auth_refusal()
        return refused

    def _auth_refusal(self) -> Response:
        status = self._simulator.settings.refuse_auth_status
        if status == 401:
            return refusal(401, "Unauthenticated", NO_TOKEN)
        if status == 402:
            detail = "You have insufficient credit to run this model."
            return refusal(402, "Insufficient credit", detail)
        return refusal(403, "Forbidden", "You do not have permission to run this model.")

    def _turned_away(self, faults: frozenset[str]) -> Response | None:
        """Refusals after which certainly no prediction exists."""
        settings = self._simulator.settings
        if "refuse_auth" in faults:
            return self._auth_refusal()
        seconds = settings.retry_after
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        if "http_429" in faults:
            shown = 30 if seconds is None else seconds
            text = f"Request was throttled. Your rate limit resets in ~{shown}s."
            if settings.throttle_wording == "expected":
                text = f"Request was throttled. Expected available in {shown} seconds."
            body: dict[str, object] = {"detail": text}
            if settings.retry_after_in_body:
                body["retry_after"] = shown
            return JSONResponse(body, 429, headers=headers)
        if "http_5xx" in faults:
            status = settings.http_5xx_status
            body = bodies.problem(status, "Service unavailable", "Please try again later.")
            return JSONResponse(body, status, headers=headers)
        return None


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
