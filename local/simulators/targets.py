"""Where the simulators may send requests: https anywhere, plain http on this machine only."""

import ipaddress
from urllib.parse import urlsplit

import httpx


def refusal(url: str) -> str | None:
    """Why this URL may not be requested, or None if it may."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "not a URL"
    if host is None or parts.scheme not in ("http", "https"):
        return "not an http(s) URL"
    if parts.scheme == "http" and not is_loopback(host):
        return "plain http is allowed for loopback only"
    return None


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def http_client(*, follow_redirects: bool) -> httpx.AsyncClient:
    """A client that never sends this machine's own traffic through a proxy."""
    direct = ("all://127.0.0.1", "all://localhost", "all://[::1]")
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
    return httpx.AsyncClient(
        follow_redirects=follow_redirects,
        max_redirects=3,
        limits=limits,
        mounts={pattern: httpx.AsyncHTTPTransport(limits=limits) for pattern in direct},
        headers={"User-Agent": "storyhook-simulator/1"},
    )
