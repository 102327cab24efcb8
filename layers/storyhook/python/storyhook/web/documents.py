"""Fetch a small public document, such as a key set."""

from storyhook.domain.errors import DownloadFailed
from storyhook.web.guard import Guard
from storyhook.web.request import NETWORK_ERRORS, send

_TOTAL_SECONDS = 5.0
_MAX_BYTES = 64 * 1024


def fetch_document(guard: Guard, url: str) -> bytes:
    """The document at `url`; raises DownloadFailed."""
    try:
        answer = send(
            guard, "GET", url, headers={}, total_seconds=_TOTAL_SECONDS, max_bytes=_MAX_BYTES
        )
    except NETWORK_ERRORS as error:
        raise DownloadFailed(f"{url} did not answer.", retryable=True) from error
    if answer.status != 200 or answer.truncated:
        raise DownloadFailed(f"{url} answered {answer.status}.", retryable=True)
    return answer.body
