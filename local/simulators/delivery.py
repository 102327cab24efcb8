"""Delivers webhooks as a provider does: a few at a time, at least once, never redirected."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

import httpx

from local.simulators.jobs import Attempt, Job
from local.simulators.settings import Settings
from local.simulators.slots import Slots
from local.simulators.targets import http_client, refusal

IN_ORDER_SECONDS = 0.5


@dataclass(frozen=True)
class Policy:
    first_timeout: float
    retry_timeout: float
    retry_delays: tuple[float, ...]
    """Simulated seconds before each retry of a terminal event; others are sent once."""


@dataclass(frozen=True)
class Delivery:
    job: Job
    event: str
    body: bytes
    message_id: str
    terminal: bool
    number: int = 0


class Signer(Protocol):
    def headers(self, delivery: Delivery, first_sent_at: float) -> dict[str, str]: ...


class State(Protocol):
    @property
    def settings(self) -> Settings: ...


class Deliveries:
    def __init__(self, state: State, signer: Signer, policy: Policy) -> None:
        self._state = state
        self._signer = signer
        self._policy = policy
        self._client = http_client(follow_redirects=False)
        self.pool = Slots(lambda: self._state.settings.delivery_pool)
        self.tasks: set[asyncio.Task[None]] = set()
        self._counter = 0
        self._latest_terminal = 0
        self._moved = asyncio.Condition()
        self._held: set[int] = set()
        self._before: dict[str, asyncio.Task[None]] = {}

    def send(self, job: Job, event: str, body: bytes, message_id: str, *, terminal: bool) -> None:
        self._counter += 1
        delivery = Delivery(job, event, body, message_id, terminal, self._counter)
        task = asyncio.create_task(self._deliver(delivery, self._before.get(job.id)))
        self._before[job.id] = task
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        if terminal:
            del self._before[job.id]

    async def close(self) -> None:
        await self.stop()
        await self._client.aclose()

    async def stop(self) -> None:
        """Forget everything that is still under way."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self._before.clear()

    async def _deliver(self, delivery: Delivery, before: asyncio.Task[None] | None) -> None:
        job, url = delivery.job, delivery.job.webhook_url
        try:
            if url is None or "drop" in job.faults:
                return
            reason = refusal(url)
            if reason is not None:
                self._record(delivery, 1, time.time(), None, f"not delivered: {reason}")
                return
            if "delay" in job.faults:
                await self._sleep(self._state.settings.delay_seconds)
            if "reorder" in job.faults:
                await self._hold(delivery)
            elif before is not None:  # a job's events go out in their order, within reason
                await asyncio.wait([before], timeout=IN_ORDER_SECONDS)
            copies = 2 if "double" in job.faults and delivery.terminal else 1
            await asyncio.gather(*(self._attempts(delivery, url) for _ in range(copies)))
        finally:
            if delivery.terminal:
                job.told.set()

    async def _attempts(self, delivery: Delivery, url: str) -> None:
        first_sent_at = time.time()
        delays = (0.0, *self._policy.retry_delays) if delivery.terminal else (0.0,)
        for number, delay in enumerate(delays, start=1):
            if delay:
                await self._sleep(delay)
            await self.pool.acquire(delivery)
            try:
                answer = await self._post(delivery, url, number, first_sent_at)
            finally:
                self.pool.release()
            if number == 1 and delivery.terminal:
                await self._note_terminal(delivery)
            # A redirect is not followed and not retried: the event is lost.
            if answer is not None and 200 <= answer < 400:
                return

    async def _post(
        self, delivery: Delivery, url: str, number: int, first_sent_at: float
    ) -> int | None:
        timeout = self._policy.first_timeout if number == 1 else self._policy.retry_timeout
        headers = {
            "Content-Type": "application/json",
            **self._signer.headers(delivery, first_sent_at),
        }
        began = time.time()
        try:
            async with asyncio.timeout(timeout):
                response = await self._client.post(
                    url, content=delivery.body, headers=headers, timeout=timeout
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            self._record(delivery, number, began, None, str(error) or type(error).__name__)
            return None
        self._record(delivery, number, began, response.status_code, None)
        return response.status_code

    def _record(
        self, delivery: Delivery, number: int, began: float, status: int | None, error: str | None
    ) -> None:
        seconds = time.time() - began
        delivery.job.attempts.append(Attempt(delivery.event, number, began, seconds, status, error))

    async def _hold(self, delivery: Delivery) -> None:
        """Wait until a terminal event that was due later has gone out (or long enough)."""
        if self._held:  # two that wait for each other would only be late, not out of order
            return
        self._held.add(delivery.number)
        limit = self._state.settings.reorder_max_seconds / self._state.settings.speed
        try:
            async with asyncio.timeout(limit), self._moved:
                await self._moved.wait_for(lambda: self._latest_terminal > delivery.number)
        except TimeoutError:
            pass
        finally:
            self._held.discard(delivery.number)

    async def _note_terminal(self, delivery: Delivery) -> None:
        delivery.job.told.set()
        async with self._moved:
            self._latest_terminal = max(self._latest_terminal, delivery.number)
            self._moved.notify_all()

    async def _sleep(self, simulated_seconds: float) -> None:
        await asyncio.sleep(simulated_seconds / self._state.settings.speed)
