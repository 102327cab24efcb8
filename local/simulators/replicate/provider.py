"""How the engine's events look on Replicate: start, output, logs and completed webhooks."""

import json
import secrets
from typing import Any

from local.simulators.engine import Format
from local.simulators.files import random_name
from local.simulators.jobs import Job, Kind
from local.simulators.replicate import bodies
from local.simulators.replicate.uploads import Uploads
from local.simulators.settings import ReplicateSettings
from local.simulators.simulator import Simulator

DEFAULT_EVENTS = ["output", "completed"]


class ReplicateProvider:
    late: Kind = "aborted"

    def __init__(self, simulator: Simulator[ReplicateSettings], uploads: Uploads) -> None:
        self._simulator = simulator
        self._uploads = uploads

    def accepted(self, job: Job) -> None:
        # The 2023 changelog says start and completed are always sent, whatever the filter.
        if self._simulator.settings.start_events or "start" in _wanted(job):
            self._send(job, "start", {})

    def finished(self, job: Job) -> None:
        succeeded = bodies.status(job) == "succeeded"
        if succeeded:
            running: dict[str, Any] = {"status": "processing", "completed_at": None, "metrics": {}}
            if "output" in _wanted(job):
                self._send(job, "output", running)
            if "logs" in _wanted(job):
                self._send(job, "logs", {**running, "output": None})
        aborted = bodies.status(job) == "aborted"
        if job.webhook_url is None or (aborted and not self._simulator.settings.webhook_on_aborted):
            job.told.set()
            return
        changed = {"output": None} if "null_payload" in job.faults else {}
        self._send(job, "completed", changed, terminal=True)

    def picture_format(self, job: Job) -> Format:
        filled = job.model.filled(job.input)
        extension = filled.get("output_format") or job.model.format
        return Format(extension, int(filled.get("output_quality") or 80))

    def file_route(self, extension: str) -> str:
        return f"files/xezq/{random_name(44)}/tmp{random_name(8)}.{extension}"

    def own_file(self, url: str) -> bytes | None:
        return self._uploads.read(url)

    def _send(
        self, job: Job, event: str, changed: dict[str, Any], *, terminal: bool = False
    ) -> None:
        if job.webhook_url is None:
            return
        whole = bodies.prediction(self._simulator.base_url, job, self._simulator.settings)
        body = json.dumps({**whole, **changed}).encode()
        message_id = f"msg_{secrets.token_hex(12)}"
        self._simulator.deliveries.send(job, event, body, message_id, terminal=terminal)


def _wanted(job: Job) -> list[str]:
    return DEFAULT_EVENTS if job.events_filter is None else job.events_filter
