"""fal and Replicate in virtual time: jobs, what they cost, and webhooks by each one's own rules.

facts of delivery: Replicate tells the end again until about a minute after it; fal for about an
hour, ten times, and a 3xx would end that (we never give one). Both may tell twice, late, or never.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from storyhook.domain.errors import DownloadFailed
from storyhook.domain.images import ImageFacts, inspect
from storyhook.domain.outcome import (
    Accepted,
    Failure,
    FailureKind,
    NotCreated,
    Outcome,
    OutcomeUnknown,
    ProviderHandle,
    Rejected,
    Submission,
)
from storyhook.domain.upload import Uploaded
from tests.fixtures.pictures import picture
from tests.reliability import bodies
from tests.reliability.faults import Faults
from tests.reliability.ledger import Ledger
from tests.reliability.timeline import Timeline

_THROTTLED = Failure(FailureKind.THROTTLED, "slow down", "concurrent_requests_limit")
_UNAVAILABLE = Failure(FailureKind.UNAVAILABLE, "status 503")
_REFUSED = Failure(FailureKind.INVALID_INPUT, "status 422")
# Longer than any model's deadline with the time that a job may wait to be sent.
_OVERDUE = timedelta(hours=3)
_REPLICATE_KEEPS = timedelta(hours=1)


@dataclass
class Job:
    id: str
    provider: str
    webhook_url: str
    result: str
    ends_at: datetime
    copies_to_fail: int = 0
    over: bool = False


@dataclass
class Providers:
    """Both providers behind one `ProviderClient`: webhook URL or job id say which is meant."""

    timeline: Timeline
    faults: Faults
    ledger: Ledger
    tell: Callable[[Job], None] = lambda _job: None
    """Called when a job ends; it sends the webhooks."""
    early: Callable[[Job], None] = lambda _job: None
    """Called for a job that ends before the answer to its submission is read."""
    began: Callable[[Job], None] = lambda _job: None
    jobs: dict[str, Job] = field(default_factory=dict)

    def submit(
        self, endpoint: str, payload: Mapping[str, Any], webhook_url: str | None
    ) -> Submission:
        assert webhook_url
        faults = self.faults
        faults.may_die()
        if faults.happens("throttled"):
            again = self.timeline.random.choice((None, 2.0, 30.0, 120.0))
            return NotCreated(_THROTTLED, again)
        if faults.happens("unavailable"):
            return NotCreated(_UNAVAILABLE, self.timeline.random.choice((None, 15.0)))
        if faults.happens("rejected"):
            return Rejected(_REFUSED)
        if faults.happens("nothing_created"):
            return OutcomeUnknown("reset before the request was read")
        job = self._create(webhook_url)
        if faults.happens("early"):
            self.timeline.clock.advance(seconds=1)
            self._end(job)
            self.early(job)
        if faults.happens("answer_lost"):
            return OutcomeUnknown("the answer was lost")
        faults.may_die()
        return Accepted(ProviderHandle(job.id))

    def fetch(self, endpoint: str, handle: ProviderHandle) -> Outcome:
        self._ask()
        job = self.jobs[handle.provider_id]
        return bodies.fetched(job.provider, job.id, job.result if job.over else None)

    def find(self, webhook_url: str | None) -> ProviderHandle | None:
        if "/replicate/" not in (webhook_url or ""):
            return None  # fal lists nothing by webhook URL.
        self._ask()
        found = [job for job in self.jobs.values() if job.webhook_url == webhook_url]
        return ProviderHandle(found[0].id) if found else None

    def cancel(self, endpoint: str, handle: ProviderHandle) -> bool:
        job = self.jobs[handle.provider_id]
        if job.over:
            return False
        if self.faults.happens("cancel_late"):
            self._end(job)
            self.tell(job)
            return True  # The provider took the request; the job finished all the same.
        job.result = "canceled"
        self._end(job)
        self.tell(job)
        return True

    def upload(self, data: bytes, content_type: str, name: str) -> Uploaded:
        raise AssertionError("with webhooks, references are signed URLs of our bucket")

    def _ask(self) -> None:
        self.faults.may_die()
        if self.faults.happens("unreachable"):
            raise DownloadFailed("the provider did not answer", retryable=True)

    def _create(self, webhook_url: str) -> Job:
        provider = webhook_url.split("/webhooks/")[1].partition("/")[0]
        now = self.timeline.clock()
        seconds = self.timeline.random.lognormvariate(2.3, 0.6)
        lasts = timedelta(seconds=seconds)
        if self.faults.happens("overdue"):
            lasts = _OVERDUE
        job = Job(
            f"{provider}-job-{len(self.jobs) + 1}",
            provider,
            webhook_url,
            self._result(provider),
            now + lasts,
        )
        if self.faults.happens("copy_fails"):
            job.copies_to_fail = self.timeline.random.randint(1, 3)
        self.jobs[job.id] = job
        self.ledger.job_created(job.id, webhook_url, findable=provider == "replicate")
        self.began(job)
        self.timeline.at(job.ends_at, lambda: self._ended_by_itself(job))
        return job

    def _result(self, provider: str) -> str:
        if self.faults.happens("failed"):
            if self.faults.happens("moderated"):
                blocked = ("blocked", "blanked") if provider == "fal" else ("blocked",)
                return self.timeline.random.choice(blocked)
            return "failed"
        if provider == "fal":
            return "null_payload" if self.faults.happens("null_payload") else "succeeded"
        return self.timeline.random.choice(("succeeded", "listed"))

    def _ended_by_itself(self, job: Job) -> None:
        if not job.over:
            self._end(job)
            self.tell(job)

    def _end(self, job: Job) -> None:
        job.over = True
        job.ends_at = self.timeline.clock()
        if job.result in bodies.GOOD:
            self.ledger.job_succeeded(job.id, job.ends_at)


@dataclass
class Pictures:
    """The providers' file hosts. Replicate's URLs die after an hour."""

    providers: Providers

    def fetch(self, url: str) -> tuple[bytes, ImageFacts]:
        providers = self.providers
        providers.faults.may_die()
        job = providers.jobs[url.split("/")[-2]]
        if job.copies_to_fail:
            job.copies_to_fail -= 1
            raise DownloadFailed("answered 503", retryable=True)
        age = providers.timeline.clock() - job.ends_at
        if job.provider == "replicate" and age > _REPLICATE_KEEPS:
            providers.ledger.job_gone(job.id)
            raise DownloadFailed("answered 404", retryable=False)
        data = _drawn_for(job)
        providers.ledger.picture(url, job.id, data)
        return data, inspect(data)


def _drawn_for(job: Job) -> bytes:
    """A tiny picture of the job's own: its number is in its colour."""
    number = int(job.id.rpartition("-")[2])
    return picture(4, 4, colour=f"#{number % 0x1000000:06x}")
