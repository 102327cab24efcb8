"""Where requests may go. Pass line: not one connection to an address that is not public."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from urllib3.util import connection

from storyhook.domain.errors import DownloadFailed, UnsafeUrl
from storyhook.web import request as web
from storyhook.web.guard import Guard, Target
from tests.fixtures.server import Reply, Server, serving

PUBLIC = "93.184.215.14"

# Hosts that are addresses, in every spelling that some library understands.
LITERALS = [
    *("127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1"),
    *("0177.0.0.1", "017700000001", "0x7f.0x0.0x0.0x1", "127.0.0.1.", "127.255.255.254"),
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1"),
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.0.1"),
    *("100.64.0.1", "100.127.255.254", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    "255.255.255.255",
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::ffff:169.254.169.254]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[::169.254.169.254]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::a00:1]"),
    *("[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]"),
    *("[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]"),
    *("[100::1]", "[5f00::1]", "[4000::1]"),
    "[fe80::1%25eth0]",
    *("１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "１６９.254.169.254"),
]
NAMES = ["localhost", "localhost.", "LOCALHOST", "ⓛocalhost"]
SHAPES = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "//example.com/",
    "example.com",
    "",
    "https://",
    "https:///path",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://:@example.com/",
    "https://example.com:8443/",
    "https://example.com:80/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:x/",
    "https://exa mple.com/",
    "https://example.com/a b",
    "https://example.com/\r\nHost: x",
    "https://example.com/\x00",
    "https://example.com\\@127.0.0.1/",
    "https://exam%70le.com/",
    "https://[::1/",
    "https://[fe80::1%eth0]/",
    "https://..example.com/",
    "https://a..b/",
    f"https://{'a' * 64}.com/",
    f"https://example.com/{'a' * 2048}",
]
UNSAFE = [f"https://{host}/x" for host in [*LITERALS, *NAMES]] + SHAPES


def resolver(*answers: str) -> Any:
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers

    resolve.asked = asked  # type: ignore[attr-defined]
    return resolve


def test_there_are_at_least_sixty_vectors() -> None:
    assert len(set(UNSAFE)) >= 60


@pytest.mark.parametrize("url", UNSAFE)
def test_an_unsafe_url_is_refused_before_the_network_is_asked(url: str) -> None:
    guard = Guard(resolve=resolver(PUBLIC))
    with pytest.raises(UnsafeUrl) as caught:
        guard.check(url)
    assert caught.value.detail.endswith(".")
    with pytest.raises(UnsafeUrl):
        guard.pin(url)
    assert guard.resolve.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", UNSAFE)
def test_local_rights_open_loopback_http_and_nothing_else(url: str) -> None:
    with pytest.raises(UnsafeUrl):
        Guard(allow_loopback_http=True).check(url)


PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0"),
    *("fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1"),
    *("::10.0.0.1", "fec0::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("others", [(), (PUBLIC,), ("2606:4700::1111",)])
def test_a_name_that_leads_inside_is_refused(address: str, others: tuple[str, ...]) -> None:
    """One private address among public ones is enough, wherever it stands."""
    for answers in ([address, *others], [*others, address]):
        with pytest.raises(UnsafeUrl):
            Guard(resolve=resolver(*answers)).pin("https://example.com/x")


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111"])
def test_a_public_name_is_pinned_to_its_address(address: str) -> None:
    target = Guard(resolve=resolver(address)).pin("https://example.com/a/b?c=d#e")
    assert target == Target("https", "example.com", 443, "/a/b?c=d", address)


def test_a_foreign_name_is_asked_for_in_its_plain_form() -> None:
    guard = Guard(resolve=resolver(PUBLIC))
    assert guard.pin("https://例え.jp/x").host == "xn--r8jz45g.jp"


@pytest.mark.parametrize(
    ("error", "later"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "temporary failure"), True),
        (socket.gaierror(socket.EAI_FAIL, "non-recoverable failure"), True),
        (socket.gaierror(socket.EAI_SYSTEM, "system error"), True),
        (socket.gaierror(socket.EAI_NONAME, "not known"), False),
        (socket.gaierror(socket.EAI_NODATA, "no address"), False),
        (UnicodeError("label too long"), False),
    ],
)
def test_a_name_without_address_may_be_tried_later_unless_there_is_none(
    error: Exception, later: bool
) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise error

    with pytest.raises(DownloadFailed) as caught:
        Guard(resolve=resolve).pin("https://example.com/")
    assert caught.value.retryable is later
    assert ("There is no host 'example.com'" in caught.value.detail) is not later


def test_a_name_with_no_address_at_all_is_not_tried_later() -> None:
    with pytest.raises(DownloadFailed) as caught:
        Guard(resolve=resolver()).pin("https://example.com/")
    assert not caught.value.retryable


LOCAL = Guard(allow_loopback_http=True)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080/x", "http://localhost:3000/", "http://[::1]:9/", "http://127.9.9.9/"],
)
def test_a_laptop_may_be_its_own_customer(url: str) -> None:
    LOCAL.check(url)
    assert ipaddress.ip_address(LOCAL.pin(url).address).is_loopback
    with pytest.raises(UnsafeUrl):
        Guard().check(url)


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://10.0.0.1/", "http://169.254.169.254/", "http://0.0.0.0/"]
)
def test_a_laptop_may_not_call_its_neighbours(url: str) -> None:
    with pytest.raises(UnsafeUrl):
        LOCAL.check(url)


def test_localhost_must_lead_to_loopback() -> None:
    with pytest.raises(UnsafeUrl):
        Guard(True, resolver("10.0.0.1")).pin("http://localhost/")


class Rebinding:
    """A name server that changes its mind after the first question."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


def _connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    made: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *args: Any, **values: Any) -> Any:
        made.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(connection, "create_connection", connect)
    return made


def _send(guard: Guard, url: str, **values: Any) -> web.Answer:
    given = {"headers": {}, "total_seconds": 5.0, "max_bytes": 4096, **values}
    return web.send(guard, "GET", url, **given)


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    made, resolve = _connections(monkeypatch), Rebinding(PUBLIC, "127.0.0.1")
    with pytest.raises(web.NETWORK_ERRORS):
        _send(Guard(resolve=resolve), "https://rebind.example/x")
    assert made == [(PUBLIC, 443)]
    assert resolve.asked == 1


@pytest.mark.parametrize("url", UNSAFE)
def test_nothing_is_connected_to_for_an_unsafe_url(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _connections(monkeypatch)
    with pytest.raises(UnsafeUrl):
        _send(Guard(resolve=Rebinding("127.0.0.1")), url)
    assert made == []


@pytest.fixture
def server() -> Any:
    with serving() as server:
        yield server


def test_redirects_are_not_followed(server: Server) -> None:
    with serving() as other:
        server.answer = Reply(302, b"", {"Location": f"{other.url}/secret"})
        assert _send(LOCAL, server.url + "/x").status == 302
        assert other.requests == []
    assert len(server.requests) == 1


def test_proxies_of_the_environment_are_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert _send(LOCAL, server.url).status == 200


def test_the_host_header_names_the_host_not_the_address(server: Server) -> None:
    _send(LOCAL, f"http://localhost:{server.server_port}/a?b=c")
    [request] = server.requests
    assert request.headers["host"] == f"localhost:{server.server_port}"
    assert request.path == "/a?b=c"
