from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from storyhook_client.answers import Plan, Prediction
from storyhook_client.downloads import download_picture
from storyhook_client.resources.base import LONGEST_WAIT_SECONDS, Body, Page, Resource, last, part

_PATH = "/predictions"


class Predictions(Resource):
    """Single pictures."""

    def create(self, body: Body) -> Prediction:
        return Prediction.of(self.transport.create(_PATH, body))

    def estimate(self, body: Body) -> Plan:
        """What would be sent and what it would cost; nothing is written or paid."""
        return Plan.of(self.transport.plan(_PATH, body))

    def get(self, prediction_id: str, *, wait_seconds: int = 0) -> Prediction:
        path = f"{_PATH}/{part(prediction_id)}"
        return Prediction.of(self.transport.get(path, wait_seconds=wait_seconds))

    def list(self, *, limit: int | None = None) -> Iterator[Prediction]:
        """All, the newest first; `limit` is of a page."""
        return self._all(Prediction, _PATH, limit=limit)

    def page(self, *, limit: int | None = None, cursor: str | None = None) -> Page[Prediction]:
        return self._page(Prediction, _PATH, limit=limit, cursor=cursor)

    def cancel(self, prediction_id: str) -> Prediction:
        return Prediction.of(self.transport.post(f"{_PATH}/{part(prediction_id)}/cancel"))

    def watch(
        self, prediction_id: str, *, timeout_seconds: float, step_seconds: int = 2
    ) -> Iterator[Prediction]:
        """How it stands, every few seconds until it is over; raises NotFinished."""
        return self._snapshots(
            lambda wait: self.get(prediction_id, wait_seconds=wait), step_seconds, timeout_seconds
        )

    def wait(self, prediction_id: str, *, timeout_seconds: float = 600) -> Prediction:
        """How it ended, failures included; raises NotFinished."""
        return last(
            self.watch(
                prediction_id, timeout_seconds=timeout_seconds, step_seconds=LONGEST_WAIT_SECONDS
            )
        )

    def download(self, prediction: Prediction | str, folder: Path) -> tuple[Path, ...]:
        """Its picture, or pictures, in `folder`, which is made; raises BadDownload.

        URLs work for an hour: give the id of an older one.
        """
        if isinstance(prediction, str):
            prediction = self.get(prediction)
        return download_picture(self.transport.files, prediction, folder)
