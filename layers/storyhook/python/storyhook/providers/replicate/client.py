"""Everything at Replicate that takes a key: the official client, made safe by `OneRequest`.

Answers are read as JSON, not through the client's models: those refuse the status `aborted`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from replicate.client import Client

from storyhook.domain.errors import DownloadFailed
from storyhook.domain.outcome import (
    Accepted,
    AskProvider,
    Failed,
    Failure,
    FailureKind,
    NotCreated,
    Outcome,
    OutcomeUnknown,
    Pending,
    ProviderHandle,
    Rejected,
    Submission,
)
from storyhook.domain.upload import Uploaded
from storyhook.providers.base import failed_submission, failed_upload
from storyhook.providers.parsing import json_body
from storyhook.providers.replicate.outcome import failure, outcome
from storyhook.providers.transport import NeverSent, NoAnswer, NotOk, OneRequest

_PREDICTIONS = "/v1/predictions"
_FILES = "/v1/files"
_GONE = frozenset({404, 410})


class _Session(Client):
    """The official client; its answers as plain JSON."""

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return json_body(self._request(method, path, json=body).content)

    def upload(self, name: str, data: bytes, content_type: str) -> Any:
        """As `files.create`, whose model insists on fields that the HTTP reference lacks."""
        files = {"content": (name, data, content_type)}
        return json_body(self._request("POST", _FILES, files=files).content)


class ReplicateClient:
    """`base_url`: https://api.replicate.com, or a simulator's."""

    def __init__(self, token: str, base_url: str) -> None:
        self._session = _Session(api_token=token, base_url=base_url, transport=OneRequest())

    def submit(
        self, endpoint: str, payload: Mapping[str, Any], webhook_url: str | None
    ) -> Submission:
        # `owner/name` for official models, `owner/name:hex` or `hex` for all others.
        body: dict[str, Any] = {"version": endpoint, "input": dict(payload)}
        if webhook_url is not None:
            body |= {"webhook": webhook_url, "webhook_events_filter": ["completed"]}
        try:
            answer = self._session.call("POST", _PREDICTIONS, body)
        except (NotOk, NeverSent, NoAnswer) as error:
            return failed_submission(error, failure)
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            return OutcomeUnknown("Replicate took the job, but its answer names no id")
        return Accepted(ProviderHandle(answer["id"]))

    def fetch(self, endpoint: str, handle: ProviderHandle) -> Outcome:
        try:
            prediction = self._get(f"{_PREDICTIONS}/{handle.provider_id}")
        except NotOk as error:
            if error.status in _GONE:
                detail = "Replicate no longer knows the prediction."
                return Failed(Failure(FailureKind.LOST_RESULT, detail))
            raise DownloadFailed(f"Replicate answered {error.status}", retryable=True) from error
        found = outcome(prediction) if isinstance(prediction, dict) else Pending()
        return Pending() if isinstance(found, AskProvider) else found

    def find(self, webhook_url: str | None) -> ProviderHandle | None:
        """Among the most recent predictions, which echo the webhook they were created with."""
        if webhook_url is None:
            return None
        try:
            page = self._get(_PREDICTIONS)
        except NotOk:
            return None
        for prediction in page.get("results", []) if isinstance(page, dict) else []:
            if prediction.get("webhook") == webhook_url:
                return ProviderHandle(prediction["id"])
        return None

    def upload(self, data: bytes, content_type: str, name: str) -> Uploaded | NotCreated | Rejected:
        try:
            answer = self._session.upload(name, data, content_type)
            url, told = answer["urls"]["get"], answer.get("expires_at")
            return Uploaded(url, datetime.fromisoformat(told).astimezone(UTC) if told else None)
        except (NotOk, NeverSent, NoAnswer) as error:
            return failed_upload(error, failure)
        except (KeyError, ValueError, TypeError):
            detail = "Replicate took the file, but its answer names no URL."
            return NotCreated(Failure(FailureKind.UNAVAILABLE, detail))

    def cancel(self, endpoint: str, handle: ProviderHandle) -> bool:
        try:
            self._session.call("POST", f"{_PREDICTIONS}/{handle.provider_id}/cancel")
        except (NotOk, NeverSent, NoAnswer):
            return False
        return True

    def _get(self, path: str) -> Any:
        try:
            return self._session.call("GET", path)
        except (NeverSent, NoAnswer) as error:
            raise DownloadFailed(
                f"Replicate did not answer: {error.detail}", retryable=True
            ) from error
