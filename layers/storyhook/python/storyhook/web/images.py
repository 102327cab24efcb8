"""Fetch a picture that somebody names: bounded, guarded, checked by its bytes."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from storyhook.domain.errors import DownloadFailed, UnsafeUrl
from storyhook.domain.images import ImageFacts, inspect
from storyhook.web.guard import Guard
from storyhook.web.request import NETWORK_ERRORS, send

_TOTAL_SECONDS = 25.0


@dataclass(frozen=True)
class HttpImages:
    """`hosts`: names or `*.suffix` patterns that are allowed; empty allows every public host."""

    guard: Guard
    max_bytes: int
    hosts: tuple[str, ...] = ()

    def fetch(self, url: str) -> tuple[bytes, ImageFacts]:
        self.guard.check(url)
        host = urlsplit(url).hostname or ""
        if self.hosts and not any(_matches(host, pattern) for pattern in self.hosts):
            raise UnsafeUrl(f"Pictures are not fetched from {host!r}.")
        try:
            answer = send(
                self.guard,
                "GET",
                url,
                headers={"Accept": "image/*", "User-Agent": "storyhook"},
                total_seconds=_TOTAL_SECONDS,
                max_bytes=self.max_bytes,
            )
        except NETWORK_ERRORS as error:
            raise DownloadFailed(
                "The picture's host did not answer properly; check that it is up and try again "
                f"({type(error).__name__}).",
                retryable=True,
            ) from error
        if answer.status != 200:
            raise DownloadFailed(
                f"The picture's host answered {answer.status}; check the URL.",
                retryable=answer.status >= 500,
            )
        if answer.truncated:
            raise DownloadFailed(
                f"The picture has more than {self.max_bytes // (1024 * 1024)} MB.", retryable=False
            )
        return answer.body, inspect(answer.body)


def _matches(host: str, pattern: str) -> bool:
    host = host.rstrip(".").lower()
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern
