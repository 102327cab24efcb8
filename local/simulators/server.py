"""Command line and HTTP server; also the way to cut a connection in the middle."""

import argparse
import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

WATCH_SECONDS = 0.5
STOP_SECONDS = 3


class CuttableProtocol(H11Protocol):
    """Puts the connection where a handler can reach it (see lose_answer)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


async def lose_answer(request: Request, status_code: int | None) -> Response:
    """No answer at all, as from a broken network, or one that hides what was done."""
    if status_code is not None:
        return Response("<html><h1>Bad gateway</h1></html>", status_code, media_type="text/html")
    request.scope["state"]["transport"].abort()
    await asyncio.sleep(0)  # let the server notice, so that it drops the handler's answer
    return Response()


def arguments(provider: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m local.simulators.{provider}",
        description=f"A server on 127.0.0.1 that speaks {provider}'s wire protocol.",
    )
    parser.add_argument("--port", type=int, required=True, help="0 = any free port")
    parser.add_argument("--settings", type=Path, help="JSON file of start settings")
    parser.add_argument("--parent-pid", type=int, help="exit when this process is gone")
    parser.add_argument("--max-seconds", type=float, help="exit after this time")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    return parser.parse_args()


def serve(provider: str, options: argparse.Namespace, build: Callable[[str], Starlette]) -> None:
    """Listen, say where, and run until SIGTERM, the parent's end or the time limit."""
    # Only with the protocol named does asyncio switch Nagle's 40 ms waits off.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    listener.listen(1024)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        build(url),
        http=CuttableProtocol,
        ws="none",
        log_level="info" if options.verbose else "warning",
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=30,
    )
    server = uvicorn.Server(config)
    print(f"{provider} simulator listening on {url}", flush=True)
    asyncio.run(_run(server, listener, options))


async def _run(server: uvicorn.Server, listener: socket.socket, options: Any) -> None:
    watchers = []
    if options.parent_pid is not None:
        watchers.append(asyncio.create_task(_stop_without_parent(server, options.parent_pid)))
    if options.max_seconds is not None:
        watchers.append(asyncio.create_task(_stop_after(server, options.max_seconds)))
    await server.serve(sockets=[listener])
    for watcher in watchers:
        watcher.cancel()


async def _stop_without_parent(server: uvicorn.Server, pid: int) -> None:
    # A dead process still answers kill(0) until it is reaped; if it is our own
    # parent, the change of our parent's id tells earlier.
    ours = os.getppid() == pid
    while _alive(pid) and (not ours or os.getppid() == pid):  # noqa: ASYNC110
        await asyncio.sleep(WATCH_SECONDS)
    server.should_exit = True


async def _stop_after(server: uvicorn.Server, seconds: float) -> None:
    await asyncio.sleep(seconds)
    server.should_exit = True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
