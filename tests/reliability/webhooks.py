"""Webhooks on their way to us: doubled, lost, reordered, late, early, stale, forged, retried."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storyhook.domain.errors import BadSignature, NotFound
from tests.fixtures import signing
from tests.reliability import bodies
from tests.reliability.faults import Faults
from tests.reliability.ledger import Ledger
from tests.reliability.providers import Job
from tests.reliability.timeline import Timeline

_TOLERANCE = timedelta(minutes=5)
_REPLICATE_TELLS = timedelta(minutes=1)
_FAL_TELLS = timedelta(hours=1)
_FAL_TRIES = 10
_OTHER_SECRET = "whsec_" + "b3RoZXIgc2VjcmV0IG9mIDMyIGJ5dGVzIGFsbCB0b2xk"
_OTHER_SEED = "11" * 32

Receive = Callable[[str, str, dict[str, str], bytes], Any]
"""(provider, token, headers, body): the webhook function's use case."""


@dataclass
class Webhooks:
    timeline: Timeline
    faults: Faults
    ledger: Ledger
    receive: Receive

    def began(self, job: Job) -> None:
        """Replicate may tell of the start too, also after the end; fal does not."""
        if job.provider == "replicate":
            late = 60.0 if self.timeline.random.random() < self.faults.mix.reordered else 1.0
            self.timeline.soon(0.1, late, lambda: self._arrive(job, "starting", self._now()))
        if self.faults.happens("forged"):
            self.timeline.soon(0.1, 60, lambda: self.forge(job))

    def ended(self, job: Job) -> None:
        faults, random = self.faults, self.timeline.random
        if faults.happens("lost"):
            return
        wait = random.uniform(0.1, 2)
        if faults.happens("reordered"):
            wait = random.uniform(5, 120)
        if faults.happens("late"):
            wait = random.uniform(600, 7200)
        told_at = self._now()
        signed_at = told_at
        if not (wait > _TOLERANCE.total_seconds() and faults.happens("stale")):
            signed_at += timedelta(seconds=wait)
        self.timeline.after(wait, lambda: self._tell(job, told_at, signed_at, 1))
        if faults.happens("doubled"):
            again = wait + random.choice((0.0, random.uniform(0, 1), random.uniform(0, 600)))
            self.timeline.after(again, lambda: self._arrive(job, job.result, self._now()))

    def early(self, job: Job) -> None:
        """The first webhook comes while the submission waits for its answer."""
        self._tell(job, self._now(), self._now(), 1)

    def forge(self, job: Job) -> None:
        """Somebody who is not the provider tells of a failure, or of a picture of their own."""
        random = self.timeline.random
        body = bodies.webhook(job.provider, job.id, random.choice(("succeeded", "failed")))
        text = json.dumps(body).replace(job.id, random.choice((job.id, "another-job")))
        data, sign = text.encode(), signing.SIGNERS[job.provider]
        kind = random.choice(("other key", "changed body", "no signature", "other URL"))
        token = self._token(job)
        headers = sign(data, at=self._now())
        match kind:
            case "other key" if job.provider == "fal":
                headers = signing.fal(data, at=self._now(), seed_hex=_OTHER_SEED)
            case "other key":
                headers = signing.replicate(data, at=self._now(), secret=_OTHER_SECRET)
            case "changed body":
                data += b" "
            case "no signature":
                headers = {name: v for name, v in headers.items() if "signature" not in name}
            case "other URL":
                token = token.partition(".")[0] + ".AAAAAAAAAAAAAAAAAAAAAA"
        with self.ledger.forgery(f"a webhook with {kind} for {job.id}"):
            lived, answer = self.timeline.function(
                lambda: self.receive(job.provider, token, headers, data)
            )
        if lived:
            self.ledger.note("I6", f"a webhook with {kind} for {job.id} was taken: {answer}")

    def _tell(self, job: Job, told_at: datetime, signed_at: datetime, tries: int) -> None:
        """The terminal event, again until it is taken or the provider gives up."""
        if self._arrive(job, job.result, signed_at):
            return
        wait = timedelta(seconds=2**tries if job.provider == "replicate" else 15 * 2**tries)
        first_end = told_at if job.provider == "fal" else job.ends_at
        tells = _FAL_TELLS if job.provider == "fal" else _REPLICATE_TELLS
        if self._now() + wait > first_end + tells or tries >= _FAL_TRIES:
            return
        again = signed_at if self.faults.happens("stale") else self._now() + wait
        self.timeline.after(
            wait.total_seconds(), lambda: self._tell(job, told_at, again, tries + 1)
        )

    def _arrive(self, job: Job, result: str, signed_at: datetime) -> bool:
        """One delivery; whether it was answered 2xx."""
        data = json.dumps(bodies.webhook(job.provider, job.id, result)).encode()
        headers = signing.SIGNERS[job.provider](data, at=signed_at)
        lived, answer = self.timeline.function(
            lambda: self.receive(job.provider, self._token(job), headers, data)
        )
        if not lived and isinstance(answer, BadSignature | NotFound):
            self.ledger.note("I1", f"a genuine webhook of {job.id} was refused: {answer}")
        if lived and self._now() - signed_at <= _TOLERANCE and result != "starting":
            self.ledger.job_had(job.id)
        return lived

    def _token(self, job: Job) -> str:
        return job.webhook_url.rpartition("/")[2]

    def _now(self) -> datetime:
        return self.timeline.clock()
