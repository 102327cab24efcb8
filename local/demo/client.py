"""The few calls of the HTTP API that a story needs."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from local.demo.problem import DemoFailed, problem_text

Json = dict[str, Any]

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)


class Unreachable(DemoFailed):
    """No answer, or one that says that the API is in trouble; a read may be tried again."""


class Api:
    def __init__(self, url: str, key: str) -> None:
        # The cloud is on this machine: a proxy from the environment would not find it.
        self._api = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_TIMEOUT,
            trust_env=False,
        )
        # Presigned URLs hold their own right to read; our key is not for them.
        self._files = httpx.Client(timeout=_TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._api.close()
        self._files.close()

    def models(self) -> list[Json]:
        models: list[Json] = self._call("GET", "/models")["items"]
        return models

    def save_character(self, body: Mapping[str, Any], path: str) -> Json:
        """`path` says where in the story the character is, for messages."""
        return self._call("POST", "/characters", body, f"{path}.")

    def create_storyboard(self, body: Mapping[str, Any]) -> Json:
        return self._call("POST", "/storyboards", body)

    def storyboard(self, board_id: str) -> Json:
        return self._call("GET", f"/storyboards/{board_id}")

    def download(self, url: str) -> bytes:
        try:
            answer = self._files.get(url)
        except httpx.HTTPError as error:
            raise Unreachable(f"an image could not be downloaded: {error}") from error
        if answer.status_code != httpx.codes.OK:
            raise DemoFailed(f"an image could not be downloaded: HTTP {answer.status_code}")
        return answer.content

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, prefix: str = ""
    ) -> Json:
        try:
            answer = self._api.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise Unreachable(f"{method} {path}: no answer ({error})") from error
        if answer.is_success:
            document: Json = answer.json()
            return document
        raised = Unreachable if answer.is_server_error else DemoFailed
        raise raised(f"{method} {path}: HTTP {answer.status_code}. {_reason(answer, prefix)}")


def _reason(answer: httpx.Response, prefix: str) -> str:
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text[:300]
    document = answer.json()
    if "title" not in document:  # API Gateway's own refusals have a message only
        return str(document.get("message", document))[:300]
    return problem_text(document, prefix)
