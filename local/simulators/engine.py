"""Runs accepted jobs: wait for a slot, fetch the references, draw, end, tell."""

import asyncio
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from local.simulators.drawing import PanelOrder, Unreadable, draw_black, draw_panel
from local.simulators.files import MEDIA_TYPES, FileStore, StoredFile, broken
from local.simulators.jobs import Job, Kind, Outcome
from local.simulators.limits import broken_limit, picture_count
from local.simulators.pricing import bill
from local.simulators.references import BadReference, Reference, fetch_all, pictures_of
from local.simulators.settings import Settings
from local.simulators.sizes import picture_size
from local.simulators.slots import Slots
from local.simulators.targets import http_client
from local.simulators.validation import Problem

LOGGER = logging.getLogger(__name__)
DRAWING_THREADS = 2
REFUSAL_SECONDS = 0.4
"""A job with wrong input fails long before a picture would be ready."""


@dataclass(frozen=True)
class Format:
    extension: str
    quality: int


class Provider(Protocol):
    late: Kind
    """How a job ends that could not start before its deadline."""

    def accepted(self, job: Job) -> None: ...
    def finished(self, job: Job) -> None: ...
    def picture_format(self, job: Job) -> Format: ...
    def file_route(self, extension: str) -> str: ...
    def own_file(self, url: str) -> bytes | None:
        """What is stored under a URL that only the provider itself can read; else None.

        ValueError if it is such a URL, but nothing is there.
        """


class State(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def files(self) -> FileStore: ...


class Engine:
    def __init__(self, state: State, provider: Provider) -> None:
        self._state = state
        self._provider = provider
        self._client = http_client(follow_redirects=True)
        self._threads = ThreadPoolExecutor(DRAWING_THREADS, thread_name_prefix="draw")
        self.slots = Slots(lambda: self._state.settings.slots)
        self.tasks: dict[str, asyncio.Task[None]] = {}

    def accept(self, job: Job) -> None:
        settings = self._state.settings
        latency = settings.latency_of(job.endpoint, job.model.typical_seconds)
        dice = random.Random(f"{settings.seed}\n{job.seed}\n{job.prompt}")
        job.latency = latency * (1 + settings.latency_jitter * dice.uniform(-1, 1))
        if "early_webhook" in job.faults:
            job.latency = 0.0
        self._provider.accepted(job)
        task = asyncio.create_task(self._run(job))
        self.tasks[job.id] = task
        task.add_done_callback(lambda _: self.tasks.pop(job.id, None))

    def cancel(self, job: Job) -> bool:
        """Ask the job to stop; False if it has ended already."""
        task = self.tasks.get(job.id)
        if task is None or job.outcome is not None:
            return False
        job.cancel_requested = True
        if job.started_at is None or "cancel_ignored" not in job.faults:
            task.cancel()
        return True

    async def stop(self) -> None:
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.stop()
        await self._client.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, job: Job) -> None:
        try:
            async with asyncio.timeout(self._real(job.start_deadline)):
                await self.slots.acquire(job)
        except TimeoutError:
            return self._finish(job, Outcome(self._provider.late))
        except asyncio.CancelledError:
            if not job.cancel_requested:
                raise
            return self._finish(job, Outcome("canceled"))
        try:
            job.started_at = time.time()
            job.log("Starting.")
            outcome = await self._work_until_deadline(job)
        except Exception:  # a fault of the simulator itself must not look like a stuck job
            LOGGER.exception("job %s failed in the simulator", job.id)
            outcome = Outcome("failed")
        finally:
            self.slots.release()
        return self._finish(job, outcome)

    async def _work_until_deadline(self, job: Job) -> Outcome:
        left = None
        if job.run_deadline is not None:
            elapsed = time.time() - job.created_at
            left = max(0.0, job.run_deadline / self._state.settings.speed - elapsed)
        try:
            async with asyncio.timeout(left):
                return await self._work(job)
        except TimeoutError:
            return Outcome("canceled")
        except asyncio.CancelledError:
            if not job.cancel_requested:
                raise
            return Outcome("canceled")

    async def _work(self, job: Job) -> Outcome:
        """The real work happens within the latency, not on top of it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if "stuck" in job.faults:
            await asyncio.Event().wait()
        outcome = await self._make(job)
        quick = outcome.kind in ("invalid", "bad_reference")
        wanted = min(job.latency, REFUSAL_SECONDS) if quick else job.latency
        await asyncio.sleep(max(0.0, wanted / self._state.settings.speed - (loop.time() - began)))
        return outcome

    async def _make(self, job: Job) -> Outcome:
        if job.problems:
            return Outcome("invalid", problems=job.problems)
        if "fail" in job.faults:
            return Outcome("failed")
        filled = job.model.filled(job.input)
        pictures = pictures_of(job.model, filled)
        job.reference_count = len(pictures)
        try:
            references = await fetch_all(self._client, pictures, self._provider.own_file)
        except BadReference as error:
            return _bad_reference(error)
        if "moderation" in job.faults:
            return Outcome("moderation")
        sizes = [reference.size for reference in references]
        limit = broken_limit(job.model, filled, sizes)
        if limit is not None:
            return Outcome("failed", message=limit)
        job.size = picture_size(job.model, filled, sizes)
        count = picture_count(filled)
        drawn = [reference for reference in references if reference.given.drawn]
        try:
            drawing = [self._draw(job, drawn, job.size, number) for number in range(count)]
            files = await asyncio.gather(*drawing)
        except Unreadable as error:
            unreadable = BadReference(drawn[error.index].given, "image_load_error", "not an image")
            return _bad_reference(unreadable)
        job.log("Done.")
        return Outcome(
            "nsfw" if "nsfw_flag" in job.faults else "succeeded",
            pictures=tuple(files),
            bill=bill(job.model.price, filled, [job.size] * count, sizes),
        )

    async def _draw(
        self, job: Job, references: list[Reference], size: tuple[int, int], number: int
    ) -> StoredFile:
        """The number-th picture of the job; each has a seed of its own."""
        chosen = self._provider.picture_format(job)
        order = PanelOrder(
            prompt=job.prompt,
            seed=job.seed + number,
            model=job.endpoint,
            prediction_id=job.id,
            size=size,
            references=tuple((each.key, each.data) for each in references),
            extension=chosen.extension,
            quality=chosen.quality,
            plain=self._state.settings.drawing == "plain",
        )
        draw = draw_black if "nsfw_flag" in job.faults else draw_panel
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(self._threads, partial(draw, order))
        media_type: str | None = MEDIA_TYPES[chosen.extension]
        if "broken_image" in job.faults:
            data, changed = broken(data, self._state.settings.broken_image_kind)
            media_type = changed or media_type
        route = self._provider.file_route(chosen.extension)
        stored = self._state.files.put(route, data, media_type or "", size=size)
        if "broken_image" in job.faults and self._state.settings.broken_image_kind == "missing":
            self._state.files.remove(route)
        return stored

    def _finish(self, job: Job, outcome: Outcome) -> None:
        job.completed_at = time.time()
        job.outcome = outcome
        job.done.set()
        self._provider.finished(job)

    def _real(self, simulated_seconds: float | None) -> float | None:
        if simulated_seconds is None:
            return None
        return simulated_seconds / self._state.settings.speed


def _bad_reference(error: BadReference) -> Outcome:
    problem = Problem(error.given.path, error.kind, error.given.url)
    return Outcome("bad_reference", problems=(problem,), message=error.reason)
