"""References for providers that cannot read our bucket: uploaded to them, once, and remembered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.images import inspect
from storyhook.domain.outcome import Failure, FailureKind, NotCreated, Rejected
from storyhook.domain.prediction import LEASE
from storyhook.domain.upload import MAX_KEPT, Upload, Uploaded
from storyhook.usecases.references import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from storyhook.domain.prediction import Prediction
    from storyhook.ports import Clock, Images, ProviderClient, Uploads

_PARALLEL_UPLOADS = 4
# How soon to look again for a reference that another prediction is uploading.
_UNDER_WAY_SECONDS = 2.0


@dataclass(frozen=True)
class UploadedReferences:
    """Remembers by the object's key, which names its tenant and, for references, its SHA-256."""

    images: Images
    uploads: Uploads
    provider: Callable[[str], ProviderClient]
    clock: Clock

    def urls(self, row: Prediction, until: datetime) -> Mapping[str, str] | NotCreated | Rejected:
        # However long a row may wait, a file that was just uploaded is one that can be used.
        until = min(until, self.clock() + MAX_KEPT / 2)
        keys = keys_of(row)
        seen = {key: self.uploads.find(row.provider, key) for key in keys.values()}
        known = {key: up.url for key, up in seen.items() if up and up.url and up.expires_at > until}
        missing = {key: up for key, up in seen.items() if key not in known}
        answers = self._upload(row.provider, missing)
        failures = [answer for answer in answers.values() if not isinstance(answer, Uploaded)]
        if failures:
            # Waiting does not help when one of them was refused.
            return next((f for f in failures if isinstance(f, Rejected)), failures[0])
        known |= {key: new.url for key, new in answers.items() if isinstance(new, Uploaded)}
        return {url: known[key] for url, key in keys.items()}

    def _upload(
        self, provider: str, missing: Mapping[str, Upload | None]
    ) -> dict[str, Uploaded | NotCreated | Rejected]:
        """By key, what became of it. What nobody else is uploading, we do, side by side."""
        client, began = self.provider(provider), self.clock()
        waits = Failure(FailureKind.UNAVAILABLE, "Another prediction is uploading the reference.")
        under_way = NotCreated(waits, _UNDER_WAY_SECONDS)
        answers: dict[str, Uploaded | NotCreated | Rejected] = dict.fromkeys(missing, under_way)
        # Read before claimed: an object that cannot be read leaves no claim behind.
        files = {
            key: self.images.get(key)
            for key, seen in missing.items()
            if seen is None or seen.url or seen.expires_at <= began
        }
        ours = [
            key
            for key in files
            if self.uploads.claim(provider, key, missing[key], self.clock() + LEASE)
        ]

        def send(key: str) -> Uploaded | NotCreated | Rejected:
            data = files[key]
            return client.upload(data, inspect(data).content_type, key.rpartition("/")[2])

        with ThreadPoolExecutor(_PARALLEL_UPLOADS) as pool:
            answers |= zip(ours, pool.map(send, ours), strict=True)
        for key in ours:
            answer, longest = answers[key], began + MAX_KEPT
            if isinstance(answer, Uploaded):
                done = Upload(answer.url, min(answer.expires_at or longest, longest))
            else:
                done = Upload(None, began)  # Whoever comes next may try.
            self.uploads.record(provider, key, done)
        return answers
