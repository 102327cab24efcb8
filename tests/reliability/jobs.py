"""Both providers' jobs: each comes to its end after a while, and tells it or not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from storyhook.domain.outcome import (
    AskProvider,
    Failed,
    Failure,
    FailureKind,
    NotCreated,
    Outcome,
    Pending,
    ProviderHandle,
    Rejected,
    Submission,
    Succeeded,
)
from tests.fixtures.clock import Clock
from tests.fixtures.world import IMAGE_URL, Provider, done, failed

PICTURE = Succeeded((IMAGE_URL,), seed=11)
"""It makes a picture; the URL is the job's own."""
BROKEN = Failed(Failure(FailureKind.UNAVAILABLE, "the model broke", "downstream_service_error"))
UNTOLD = AskProvider()
"""It makes a picture, but its webhook does not hold the result."""


@dataclass
class Job:
    """A job at a provider. Its URL names the provider and our row."""

    id: str
    webhook_url: str | None
    ends: Outcome
    ready_at: datetime
    nameless: bool = False

    @property
    def url(self) -> str:
        return f"https://v3b.fal.media/files/b/panda/{self.id}.png"

    @property
    def makes_picture(self) -> bool:
        return isinstance(self.ends, Succeeded | AskProvider)

    @property
    def path(self) -> tuple[str, str]:
        """The provider, and `<row>.<token>`."""
        assert self.webhook_url
        *_, provider, tail = self.webhook_url.split("/")
        return provider, tail

    @property
    def body(self) -> dict[str, Any]:
        """Its webhook's."""
        provider, _ = self.path
        match self.ends:
            case Succeeded():
                body = done(provider, self.id, self.url)
                return {**body, "id": None} if self.nameless else body
            case Failed(failure):
                return failed(provider, self.id, blocked=failure.kind is FailureKind.BLOCKED)
        if provider == "replicate":
            return {"id": self.id, "status": "a word of tomorrow"}
        unreadable = {"payload": None, "payload_error": "too large"}
        return {"request_id": self.id, "status": "OK", **unreadable}


@dataclass
class Jobs(Provider):
    """`ends` are the ends of jobs in turn; after these, all make a picture."""

    clock: Clock = field(default_factory=Clock)
    ends: list[Outcome] = field(default_factory=list)
    seconds: float = 9
    jobs: list[Job] = field(default_factory=list)
    nameless: bool = False
    """Webhooks do not say which job they are of."""
    on_created: Callable[[Job], None] = lambda _: None

    def submit(
        self, endpoint: str, payload: Mapping[str, Any], webhook_url: str | None
    ) -> Submission:
        answer = super().submit(endpoint, payload, webhook_url)
        if not isinstance(answer, NotCreated | Rejected):
            ends = self.ends.pop(0) if self.ends else PICTURE
            ready_at = self.clock() + timedelta(seconds=self.seconds)
            job = Job(f"job-{len(self.submitted)}", webhook_url, ends, ready_at, self.nameless)
            self.jobs.append(job)
            self.on_created(job)
        return answer

    def fetch(self, endpoint: str, handle: ProviderHandle) -> Outcome:
        self.hear()
        job = self._job(handle)
        if self.clock() < job.ready_at:
            return Pending()
        return Succeeded((job.url,), seed=11) if job.makes_picture else job.ends

    def find(self, webhook_url: str | None) -> ProviderHandle | None:
        self.hear()
        for job in self.jobs:  # fal lists nothing by webhook URL.
            if webhook_url and job.webhook_url == webhook_url and job.path[0] == "replicate":
                return ProviderHandle(job.id)
        return None

    def cancel(self, endpoint: str, handle: ProviderHandle) -> bool:
        job = self._job(handle)
        if self.stops and isinstance(job.ends, Pending):
            job.ends = Failed(Failure(FailureKind.CANCELED, "canceled", "client_cancelled"))
        return True

    def _job(self, handle: ProviderHandle) -> Job:
        [job] = [job for job in self.jobs if job.id == handle.provider_id]
        return job
