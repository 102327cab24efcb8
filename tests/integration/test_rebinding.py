"""Names that lead inside, from a real name server over UDP: no connection to them, ever.

Each name is asked for by the real resolver protocol, and the server answers as an attacker's does:
another address on each question, private ones among public ones, aliases of inner names.
"""

import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.message
import dns.query
import dns.rdatatype
import dns.rrset
import pytest
from urllib3.util import connection

from storyhook.domain.errors import DownloadFailed, UnsafeUrl
from storyhook.web import request as web
from storyhook.web.guard import Guard
from storyhook.web.images import HttpImages
from storyhook.web.sender import HttpSender
from tests.fixtures.clock import Clock

PUBLIC, PUBLIC_TOO, PUBLIC_V6 = "93.184.215.14", "8.8.8.8", "2606:4700:4700::1111"
INSIDE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1")
Answers = dict[str, list[tuple[str, ...]]]


@dataclass
class NameServer:
    """`zone`: for each name the answers to its questions in turn, the last one for ever."""

    zone: Answers
    asked: Counter[str] = field(default_factory=Counter)
    address: tuple[str, int] = ("", 0)

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if question.rdtype == dns.rdatatype.A:
            self.asked[name] += 1
        turns = self.zone.get(name, [()])
        turn = turns[min(max(self.asked[name] - 1, 0), len(turns) - 1)]
        for value in turn:
            kind = "CNAME" if value.endswith(".") else "AAAA" if ":" in value else "A"
            if kind in ("CNAME", dns.rdatatype.to_text(question.rdtype)):
                rrset = dns.rrset.from_text(question.name, 0, "IN", kind, value)
                response.answer.append(rrset)
        return response.to_wire()

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """As getaddrinfo does it: A and AAAA, aliases followed."""
        found: list[str] = []
        for kind in ("A", "AAAA"):
            found += self._ask(host, kind)
        return found

    def _ask(self, host: str, kind: str, depth: int = 0) -> list[str]:
        if depth > 5:
            raise OSError("a chain of aliases")
        query = dns.message.make_query(host, kind)
        address, port = self.address
        response = dns.query.udp(query, address, port=port, timeout=5)
        found: list[str] = []
        for rrset in response.answer:
            for rdata in rrset:
                text = rdata.to_text()
                if rrset.rdtype == dns.rdatatype.CNAME:
                    found += self._ask(text.rstrip("."), kind, depth + 1)
                else:
                    found.append(text)
        return found


@pytest.fixture
def server() -> Iterator[NameServer]:
    names = NameServer({})

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            sock.sendto(names.answer(wire), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as udp:
        names.address = udp.server_address  # type: ignore[assignment]
        threading.Thread(target=udp.serve_forever, args=(0.02,), daemon=True).start()
        yield names
        udp.shutdown()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where connections were tried; none is made."""
    made: list[str] = []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        made.append(address[0])
        raise OSError("no network in this test")

    monkeypatch.setattr(connection, "create_connection", connect)
    return made


ZONES: dict[str, tuple[Answers, set[str]]] = {
    "public, then loopback": ({"x.test": [(PUBLIC,), ("127.0.0.1",)]}, {PUBLIC}),
    "public, then metadata": ({"x.test": [(PUBLIC,), ("169.254.169.254",)]}, {PUBLIC}),
    "inside at once": ({"x.test": [("10.0.0.1",)]}, set()),
    "inside, then public": ({"x.test": [("127.0.0.1",), (PUBLIC,)]}, {PUBLIC}),
    "one inside among two": ({"x.test": [(PUBLIC, "192.168.0.1")]}, set()),
    "one inside among two, first": ({"x.test": [("169.254.169.254", PUBLIC)]}, set()),
    "public A, loopback AAAA": ({"x.test": [(PUBLIC, "::1")]}, set()),
    "public A, mapped AAAA": ({"x.test": [(PUBLIC, "::ffff:127.0.0.1")]}, set()),
    "NAT64 of the metadata service": ({"x.test": [("64:ff9b::a9fe:a9fe",)]}, set()),
    "an alias of an inner name": (
        {"x.test": [("inner.test.",)], "inner.test": [("10.1.2.3",)]},
        set(),
    ),
    "an alias that changes its mind": (
        {"x.test": [("y.test.",)], "y.test": [(PUBLIC_TOO,), ("127.0.0.1",)]},
        {PUBLIC_TOO},
    ),
    "aliases without end": ({"x.test": [("x.test.",)]}, set()),
    "no address": ({"x.test": [()]}, set()),
}


@pytest.mark.parametrize("case", ZONES)
def test_no_connection_goes_inside(server: NameServer, connected: list[str], case: str) -> None:
    server.zone, allowed = ZONES[case]
    guard = Guard(resolve=server.resolve)
    sender, images = HttpSender(guard, Clock()), HttpImages(guard, 1000)
    for _ in range(3):
        attempt = sender.post("https://x.test/hook", b"{}", {})
        assert attempt.status_code is None
        assert attempt.error
        with pytest.raises((UnsafeUrl, DownloadFailed)):
            images.fetch("https://x.test/1.png")
    assert set(connected) == allowed
    assert not set(connected) & set(INSIDE)
    assert server.asked["x.test"] >= 6, "it was the real server that answered"


def test_a_request_asks_for_the_name_once(server: NameServer, connected: list[str]) -> None:
    """What was checked is what is connected to: there is no second question to lie to."""
    server.zone = {"x.test": [(PUBLIC, PUBLIC_V6), ("127.0.0.1",)]}
    with pytest.raises(web.NETWORK_ERRORS):
        web.send(
            Guard(resolve=server.resolve),
            "POST",
            "https://x.test/",
            headers={},
            body=b"{}",
            total_seconds=3,
            max_bytes=10,
        )
    assert server.asked["x.test"] == 1
    assert connected == [PUBLIC]
