"""Customers' hosts that are not quite right: a certificate of another name, a path in any script.

Neither may raise out of the sender: a message that always fails ends in the dead letters.
"""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.util import connection

from storyhook.domain.callback import Attempt
from storyhook.domain.errors import DownloadFailed
from storyhook.web.guard import Guard
from storyhook.web.images import HttpImages
from storyhook.web.sender import HttpSender
from tests.fixtures.clock import Clock
from tests.fixtures.server import Reply, serving

NAME = "right.example"


def certificate(folder: Path) -> Path:
    """A key and its self-signed certificate for NAME."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "host.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


class Ok(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    """Every name leads to one https server, whose certificate we trust, for NAME alone."""
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = HTTPServer(("127.0.0.1", 0), Ok, bind_and_activate=True)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    create = connection.create_connection
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    monkeypatch.setattr(
        connection,
        "create_connection",
        lambda _, *rest, **more: create(("127.0.0.1", server.server_port), *rest, **more),
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield Guard(resolve=lambda *_: ["93.184.215.14"])
    server.shutdown()
    thread.join()
    server.server_close()


def post(guard: Guard, url: str) -> Attempt:
    return HttpSender(guard, Clock()).post(url, b"{}", {})


def test_the_certificate_is_of_the_name(tls: Guard) -> None:
    assert post(tls, f"https://{NAME}/hook").status_code == 204


@pytest.mark.parametrize("host", ["wrong.example", "93.184.215.14"])
def test_a_certificate_of_another_name_is_a_failed_try(tls: Guard, host: str) -> None:
    attempt = post(tls, f"https://{host}/hook")
    assert attempt.status_code is None
    assert attempt.error == "no answer (CertificateError)"
    with pytest.raises(DownloadFailed):
        HttpImages(tls, 1000).fetch(f"https://{host}/1.png")


def test_a_path_in_any_script_is_sent_as_browsers_do() -> None:
    local = Guard(allow_loopback_http=True)
    with serving() as server:
        server.answer = Reply(204)
        assert post(local, f"{server.url}/café%20x/[1]?q=ü&r=a+b%2F").status_code == 204
        assert server.requests[0].path == "/caf%C3%A9%20x/[1]?q=%C3%BC&r=a+b%2F"
