"""Pictures, documents and callbacks over a real server that behaves badly."""

import gzip
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from storyhook.domain.errors import BadReference, DownloadFailed, UnsafeUrl
from storyhook.web import request as web
from storyhook.web.documents import fetch_document
from storyhook.web.guard import Guard
from storyhook.web.images import HttpImages
from storyhook.web.sender import HttpSender
from tests.fixtures.clock import NOW, Clock
from tests.fixtures.pictures import picture
from tests.fixtures.server import (
    RESET,
    ContinueForever,
    Drip,
    DripHeaders,
    Hang,
    Reply,
    Server,
    serving,
)

LOCAL = Guard(allow_loopback_http=True)
IMAGES = HttpImages(LOCAL, 100_000)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    from storyhook.web import images, sender

    monkeypatch.setattr(images, "_TOTAL_SECONDS", 0.3)
    monkeypatch.setattr(sender, "_TOTAL_SECONDS", 0.3)


def test_a_whole_picture_comes_with_its_facts(server: Server) -> None:
    server.answer = Reply(200, picture(), {"Content-Type": "text/plain"})
    data, facts = IMAGES.fetch(server.url + "/x.gif")
    assert data == picture()
    assert (facts.content_type, facts.width) == ("image/png", 64)


BAD_PICTURES: list[tuple[Any, type[Exception]]] = [
    (Reply(404), DownloadFailed),
    (Reply(403, b"expired"), DownloadFailed),
    (Reply(500), DownloadFailed),
    (Reply(204), DownloadFailed),
    (Reply(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}), DownloadFailed),
    (Reply(200, b""), BadReference),
    (Reply(200, b"<html></html>", {"Content-Type": "image/png"}), BadReference),
    (Reply(200, b"<svg xmlns='http://www.w3.org/2000/svg'/>"), BadReference),
    (Reply(200, picture()[:-1]), BadReference),
    (Reply(200, gzip.compress(picture()), {"Content-Encoding": "gzip"}), BadReference),
    (Reply(200, b"\0" * 100_001), DownloadFailed),
    (RESET, DownloadFailed),
    (Hang(1), DownloadFailed),
    (Drip(1000, 0.05), DownloadFailed),
]


@pytest.mark.parametrize(("answer", "error"), BAD_PICTURES)
@pytest.mark.usefixtures("in_a_hurry")
def test_anything_else_is_no_picture(server: Server, answer: Any, error: type[Exception]) -> None:
    server.answer = answer
    begun = time.monotonic()
    with pytest.raises(error):
        IMAGES.fetch(server.url)
    assert time.monotonic() - begun < 3
    assert len(server.requests) == 1, "no retries, no redirects"


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (403, False), (500, True)])
def test_what_may_be_tried_later(server: Server, status: int, retryable: bool) -> None:
    server.answer = Reply(status)
    with pytest.raises(DownloadFailed) as caught:
        IMAGES.fetch(server.url)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("fal.media", True),
        ("v3b.fal.media", True),
        ("a.b.fal.media", True),
        ("V3.FAL.MEDIA", True),
        ("fal.media.", True),
        ("evilfal.media", False),
        ("fal.media.evil.example", False),
        ("example.com", False),
        ("replicate.delivery", False),
    ],
)
def test_pictures_come_from_the_providers_hosts_only(host: str, allowed: bool) -> None:
    def resolve(name: str, port: int) -> list[str]:
        raise OSError("not asked in earnest")

    images = HttpImages(Guard(resolve=resolve), 1000, ("fal.media", "*.fal.media"))
    with pytest.raises(DownloadFailed if allowed else UnsafeUrl):
        images.fetch(f"https://{host}/x.png")


def test_a_body_of_exactly_the_limit_is_whole(server: Server) -> None:
    for size, truncated in ((4096, False), (4097, True), (5_000_000, True)):
        server.answer = Reply(200, b"x" * size)
        answer = web.send(LOCAL, "GET", server.url, headers={}, total_seconds=5, max_bytes=4096)
        assert (len(answer.body), answer.truncated) == (4096, truncated)


def test_a_document_is_small_and_whole(server: Server) -> None:
    server.answer = Reply(200, {"keys": []})
    assert fetch_document(LOCAL, server.url) == b'{"keys": []}'
    for bad in (Reply(500), Reply(301), Reply(200, b"x" * 70_000), RESET):
        server.answer = bad
        with pytest.raises(DownloadFailed):
            fetch_document(LOCAL, server.url)


def send(server: Server) -> Any:
    return HttpSender(LOCAL, Clock()).post(server.url + "/hook", b"{}", {"webhook-id": "cb_1"})


def test_a_callback_is_one_post(server: Server) -> None:
    server.answer = Reply(204)
    attempt = send(server)
    assert (attempt.at, attempt.status_code, attempt.error) == (NOW, 204, None)
    [request] = server.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook", b"{}")
    assert request.headers["webhook-id"] == "cb_1"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [200, 301, 410, 429, 500])
def test_the_status_is_what_counts(server: Server, status: int) -> None:
    server.answer = Reply(status, b"x" * 50_000, {"Location": "http://127.0.0.1:1/"})
    assert send(server).status_code == status
    assert len(server.requests) == 1


def test_what_is_kept_of_an_answer_that_is_no_success(server: Server) -> None:
    headers = {"Retry-After": "120"}
    server.answer = Reply(503, b"slow\x1b[2J down \xff\n" + b"x" * 50_000, headers)
    attempt = send(server)
    assert attempt.not_before == NOW + timedelta(seconds=120)
    assert attempt.duration_seconds == 0
    assert attempt.response is not None
    assert attempt.response.startswith("slow\ufffd[2J down \ufffd\nxxx")
    assert len(attempt.response) == 500
    server.answer = Reply(500)
    assert send(server).response is None
    server.answer = Reply(200, b"thank you", headers)
    attempt = send(server)
    assert (attempt.response, attempt.not_before) == (None, None), "a success costs no space"


def test_headers_come_in_lower_case(server: Server) -> None:
    server.answer = Reply(200, b"12345", {"X-One": "a"})
    for limit in (4, 5):
        answer = web.send(LOCAL, "GET", server.url, headers={}, total_seconds=5, max_bytes=limit)
        assert answer.headers["x-one"] == "a"


@pytest.mark.parametrize(
    "answer",
    [RESET, Hang(1), Drip(100, 0.05), DripHeaders(100, 0.05), ContinueForever(100, 0.05)],
)
@pytest.mark.usefixtures("in_a_hurry")
def test_a_customer_without_an_answer_costs_little_time(server: Server, answer: Any) -> None:
    server.answer = answer
    begun = time.monotonic()
    attempt = send(server)
    assert attempt.status_code is None
    assert attempt.error
    assert time.monotonic() - begun < 3
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/",
        "http://example.com/",
        "https://does-not-exist.invalid/",
        "https://例え.invalid/café?q=ü",
        "http://127.0.0.1:1/refused",
        "http://127.0.0.1:1/\ud800",
    ],
)
def test_sending_never_raises(url: str) -> None:
    attempt = HttpSender(LOCAL, Clock()).post(url, b"{}", {})
    assert attempt.status_code is None
    assert attempt.error


def test_a_body_in_chunks_is_read_to_its_end(server: Server) -> None:
    data = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    server.answer = Reply(200, data, {"Transfer-Encoding": "chunked"})
    assert fetch_document(LOCAL, server.url) == b"hello world"
