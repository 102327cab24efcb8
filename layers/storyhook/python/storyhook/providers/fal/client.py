"""Everything at fal that takes a key: the official client, made safe by `OneRequest`."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
from fal_client import StorageSettings, SyncClient

from storyhook.domain.errors import DownloadFailed
from storyhook.domain.outcome import (
    Accepted,
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
    Succeeded,
)
from storyhook.domain.upload import MAX_KEPT, Uploaded
from storyhook.providers.base import failed_submission, failed_upload
from storyhook.providers.fal.outcome import error_type, failure, result, told_by_status
from storyhook.providers.parsing import json_body
from storyhook.providers.transport import NeverSent, NoAnswer, NotOk, OneRequest

_QUEUE_HOST = "queue.fal.run"
_QUEUE_HOSTS = frozenset({_QUEUE_HOST, "queue.falrun.com"})
# Where files go: a token from the one, the bytes to the other.
_FILE_HOSTS = frozenset({"rest.fal.ai", "v3.fal.media"})
_FILE_ACCESS_URL = "https://rest.fal.ai/storage/auth/token?storage_type=fal-cdn-v3"
_GONE = frozenset({404, 410})
# Gone, throttled, or our account cannot ask just now.
_NOT_ABOUT_THE_JOB = frozenset({401, 402, 403, 404, 410, 429})
# A model's error may lack fal's type. Elsewhere an answer without one is of fal's own trouble (or
# too early, 400): the job may have made its picture.
_ABOUT_THE_INPUT = 422
# Rerouting to an "equivalent" endpoint would change price and picture.
_HEADERS = {"x-app-fal-disable-fallback": "true"}


def _lost(error: NotOk) -> Outcome:
    """An answer that does not tell how the job ended: it is gone, or to be asked for again."""
    if error.status not in _GONE:
        raise DownloadFailed(f"fal answered {error.status}", retryable=True)
    detail = "fal no longer has the result; it may have been billed."
    return Failed(Failure(FailureKind.LOST_RESULT, detail))


def _job_failure(error: NotOk) -> Failure | None:
    """A failed job's result is its error, with the error's own HTTP status; None if it is not."""
    body = json_body(error.body)
    if error.status in _NOT_ABOUT_THE_JOB or not isinstance(body, dict) or "detail" not in body:
        return None
    if error.status != _ABOUT_THE_INPUT and error_type(body) is None:
        return None
    return failure(error.status, body)


class _Session(SyncClient):
    """The official client over our transport; it has no public way to be given one."""

    def __init__(self, key: str, transport: OneRequest) -> None:
        super().__init__(key=key)
        self._transport = transport

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(
            transport=self._transport,
            headers={"Authorization": self._auth.header_value},
            follow_redirects=False,
            event_hooks={"response": [self._remember]},
        )

    def _get_cdn_client(self) -> httpx.Client:
        """For the file host, with a token; the official one would bring its own transport."""
        answer = self._client.post(_FILE_ACCESS_URL, json={}).json()
        return httpx.Client(
            transport=self._transport,
            headers={"Authorization": f"{answer['token_type']} {answer['token']}"},
            follow_redirects=False,
        )

    def _remember(self, response: httpx.Response) -> None:
        self.last_answer = json_body(response.read())

    def get(self, url: str) -> Any:
        return json_body(self._client.get(url).content)

    def put(self, url: str) -> None:
        self._client.put(url)


class FalClient:
    """`queue_url`: https://queue.fal.run, or a simulator's."""

    def __init__(self, key: str, queue_url: str) -> None:
        host = urlsplit(queue_url).hostname or ""
        # A simulator stands for all of fal.
        stood_for = _QUEUE_HOSTS if host in _QUEUE_HOSTS else _QUEUE_HOSTS | _FILE_HOSTS
        self._session = _Session(key, OneRequest(dict.fromkeys(stood_for, queue_url)))
        self._trusted_hosts = _QUEUE_HOSTS | {host}

    def submit(
        self, endpoint: str, payload: Mapping[str, Any], webhook_url: str | None
    ) -> Submission:
        self._session.last_answer = None
        try:
            self._session.submit(
                endpoint, dict(payload), webhook_url=webhook_url, headers=dict(_HEADERS)
            )
        except (NotOk, NeverSent, NoAnswer) as error:
            return failed_submission(error, failure)
        except (KeyError, ValueError, TypeError):
            # The client insists on URLs that fal's webhook page does not show. The answer was
            # 2xx, so the job exists: what it says is read below.
            pass
        answer = self._session.last_answer
        if not isinstance(answer, dict) or not isinstance(answer.get("request_id"), str):
            return OutcomeUnknown("fal took the job, but its answer names no request_id")
        return Accepted(
            ProviderHandle(
                answer["request_id"],
                status_url=answer.get("status_url"),
                response_url=answer.get("response_url"),
                cancel_url=answer.get("cancel_url"),
            )
        )

    def fetch(self, endpoint: str, handle: ProviderHandle) -> Outcome:
        status_url = handle.status_url or self._url(endpoint, handle) + "/status"
        response_url = handle.response_url or self._url(endpoint, handle)
        try:
            status = self._get(status_url)
            if not isinstance(status, dict) or status.get("status") != "COMPLETED":
                return Pending()
        except NotOk as error:
            return _lost(error)
        try:
            payload = self._get(response_url)
        except NotOk as error:
            failed = _job_failure(error) or told_by_status(status)
            return Failed(failed) if failed else _lost(error)
        found = result(payload) if isinstance(payload, dict) else Pending()
        told = None if isinstance(found, Succeeded) else told_by_status(status)
        return Failed(told) if told else found

    def find(self, webhook_url: str | None) -> ProviderHandle | None:
        return None  # fal lists nothing by webhook URL.

    def upload(self, data: bytes, content_type: str, name: str) -> Uploaded | NotCreated | Rejected:
        try:
            url = self._session.upload(
                data,
                content_type,
                name,
                fallback_repository=[],
                # Whoever has the URL can read it: no longer than it is used.
                lifecycle=StorageSettings(expires_in=int(MAX_KEPT.total_seconds())),
            )
        except (NotOk, NeverSent, NoAnswer) as error:
            return failed_upload(error, failure)
        except (KeyError, ValueError, TypeError):
            detail = "fal took the file, but its answer names no URL."
            return NotCreated(Failure(FailureKind.UNAVAILABLE, detail))
        return Uploaded(url)

    def cancel(self, endpoint: str, handle: ProviderHandle) -> bool:
        cancel_url = handle.cancel_url or self._url(endpoint, handle) + "/cancel"
        try:
            self._session.put(self._trusted(cancel_url))
        except (NotOk, NeverSent, NoAnswer, DownloadFailed):
            return False
        return True

    def _get(self, url: str) -> Any:
        try:
            return self._session.get(self._trusted(url))
        except (NeverSent, NoAnswer) as error:
            raise DownloadFailed(f"fal did not answer: {error.detail}", retryable=True) from error

    def _url(self, endpoint: str, handle: ProviderHandle) -> str:
        """fal names a job by the root of its endpoint; used when its answer gave no URLs."""
        root = "/".join(endpoint.split("/")[:2])
        return f"https://{_QUEUE_HOST}/{root}/requests/{handle.provider_id}"

    def _trusted(self, url: str) -> str:
        """The key goes to fal only, whatever a stored URL says."""
        if urlsplit(url).hostname not in self._trusted_hosts:
            raise DownloadFailed("A stored fal URL points to another host.", retryable=False)
        return url
