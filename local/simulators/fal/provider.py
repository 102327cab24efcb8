"""How the engine's events look on fal: one terminal webhook, files on the v3 CDN."""

import json

from local.simulators.engine import Format
from local.simulators.fal import bodies
from local.simulators.files import random_name
from local.simulators.jobs import Job, Kind
from local.simulators.settings import FalSettings
from local.simulators.simulator import Simulator

ANIMALS = ("panda", "rabbit", "koala", "penguin", "zebra", "tiger", "monkey", "lion")
JPEG_QUALITY = 90


def cdn_route(ending: str) -> str:
    """A path on the CDN that nobody can guess."""
    name = random_name(21)
    return f"files/b/{ANIMALS[int(name[0], 16) % len(ANIMALS)]}/{name}{ending}"


class FalProvider:
    late: Kind = "timeout"

    def __init__(self, simulator: Simulator[FalSettings]) -> None:
        self._simulator = simulator

    def accepted(self, job: Job) -> None:
        """fal says nothing until a job has ended."""

    def finished(self, job: Job) -> None:
        settings = self._simulator.settings
        canceled = job.outcome is not None and job.outcome.kind == "canceled"
        if job.webhook_url is None or (canceled and not settings.webhook_on_cancel):
            job.told.set()
            return
        body = json.dumps(bodies.webhook(self._simulator.base_url, job, settings)).encode()
        self._simulator.deliveries.send(job, "completed", body, job.id, terminal=True)

    def picture_format(self, job: Job) -> Format:
        chosen = job.model.filled(job.input).get("output_format") or job.model.format
        return Format(chosen, JPEG_QUALITY)

    def file_route(self, extension: str) -> str:
        return cdn_route(f".{extension}")

    def own_file(self, url: str) -> None:
        """fal's files are public: it reads its own like anybody else."""
        del url
