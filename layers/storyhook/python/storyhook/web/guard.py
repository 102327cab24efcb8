"""Where our requests may go: public addresses over https, checked after the name is resolved.

The checked address is the one connected to, so a name that changes its mind (DNS rebinding) does
not help. On a laptop plain http to loopback is open too, and nothing else is.
"""

import ipaddress
import socket
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from storyhook.domain.errors import DownloadFailed, UnsafeUrl

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_HTTPS_PORT = 443
_MAX_URL = 2048
# Global by the registry, but doors to other networks: NAT64, 6to4, Teredo.
_TUNNELS = tuple(
    ipaddress.ip_network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
# The answer is that there is no such name, or none with an address; all else may be so for now.
_NO_SUCH_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)
# All of IPv6 that was ever given out; beside it lie old forms such as ::127.0.0.1 and fec0::1.
_GIVEN_OUT = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be connected to, at `address`."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True)
class Guard:
    allow_loopback_http: bool = False
    resolve: Resolve = resolve

    def check(self, url: str) -> None:
        """Judge a URL without asking the network; raises UnsafeUrl with what to do."""
        self._parse(url)

    def pin(self, url: str) -> Target:
        """Resolve and judge every address; raises UnsafeUrl, or DownloadFailed without one."""
        parts, host, port = self._parse(url)
        try:
            addresses = [
                ipaddress.ip_address(a.partition("%")[0]) for a in self.resolve(host, port)
            ]
        except (OSError, UnicodeError) as error:
            missing = isinstance(error, UnicodeError) or error.errno in _NO_SUCH_NAME
            raise _no_address(host, missing=missing) from error
        if not addresses:
            raise _no_address(host, missing=True)
        for address in addresses:
            if not self._allowed(address, parts.scheme):
                raise UnsafeUrl(f"{host!r} leads to an address that is not public; use another.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # What stands there in foreign letters goes as browsers send it; the rest stays as it is.
        path = quote(path, safe=string.punctuation, errors="replace")
        return Target(parts.scheme, host, port, path, str(addresses[0]))

    def _parse(self, url: str) -> tuple[SplitResult, str, int]:
        if len(url) > _MAX_URL or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in url):
            raise UnsafeUrl("The URL is too long or has spaces or control characters in it.")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
            # As the resolver sees it: foreign letters and digits in their plain form.
            host = host.encode("idna").decode() if host else None
        except ValueError as error:
            raise UnsafeUrl(
                "The URL cannot be read; send one like https://example.com/x."
            ) from error
        if not host or "%" in host or "\\" in url:
            raise UnsafeUrl("The URL names no usable host; send one like https://example.com/x.")
        if parts.username is not None or parts.password is not None:
            raise UnsafeUrl("The URL must not hold a user name or password.")
        literal = _literal(host)
        if self.allow_loopback_http and parts.scheme == "http":
            if host == "localhost" or (literal and literal.is_loopback):
                return parts, host, port or 80
            raise UnsafeUrl("Plain http is open to loopback addresses only; use https.")
        if parts.scheme != "https":
            raise UnsafeUrl("The URL must begin with https://.")
        if port not in (None, _HTTPS_PORT):
            raise UnsafeUrl("The URL must use port 443.")
        if host.rstrip(".") == "localhost" or (literal and not _is_public(literal)):
            raise UnsafeUrl(f"{host!r} is not a public address; use another.")
        return parts, host, _HTTPS_PORT

    def _allowed(self, address: Address, scheme: str) -> bool:
        if scheme == "http":
            return address.is_loopback
        return _is_public(address)


def _no_address(host: str, *, missing: bool) -> DownloadFailed:
    """`missing`: the name service has answered, and there is none."""
    if missing:
        return DownloadFailed(f"There is no host {host!r}; check the URL.", retryable=False)
    detail = f"The address of {host!r} cannot be looked up just now; try again later."
    return DownloadFailed(detail, retryable=True)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and (
        address not in _GIVEN_OUT or any(address in net for net in _TUNNELS)
    ):
        return False
    return address.is_global and not address.is_multicast


def _literal(host: str) -> Address | None:
    """An address written as a host, in any of the spellings that sockets understand."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, UnicodeError):
        return None
