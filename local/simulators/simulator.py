"""One running simulator: its settings, its memory and its parts."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.simulators.catalogue import Catalogue, Model
from local.simulators.delivery import Deliveries, Policy, Signer
from local.simulators.engine import Engine, Provider
from local.simulators.faults import FaultPicker
from local.simulators.files import FileStore
from local.simulators.jobs import Book
from local.simulators.settings import Settings

Handler = Callable[[Request], Awaitable[Response]]


class Simulator[S: Settings]:
    """Shared by both providers; the provider's own part decides what the wire looks like."""

    def __init__(self, name: str, settings: S) -> None:
        self.name = name
        self.settings = settings
        self.at_start = settings
        self.listening_at = ""
        self.catalogue = Catalogue.load(name, settings.models)
        self.book = Book()
        self.files = FileStore()
        self.picker = FaultPicker()
        self.engine: Engine
        self.deliveries: Deliveries

    def open(self, provider: Provider, signer: Signer, policy: Policy) -> None:
        """Start the working parts; needs the running event loop."""
        self.engine = Engine(self, provider)
        self.deliveries = Deliveries(self, signer, policy)

    async def close(self) -> None:
        await self.engine.close()
        await self.deliveries.close()
        self.files.close()

    @property
    def base_url(self) -> str:
        return (self.settings.public_url or self.listening_at).rstrip("/")

    def change(self, patch: dict[str, Any]) -> None:
        self._use(self.settings.patched(patch))
        self.engine.slots.wake()
        self.deliveries.pool.wake()

    async def reset(self, *, keep_settings: bool) -> None:
        await self.engine.stop()
        await self.deliveries.stop()
        self.book.clear()
        self.files.clear()
        self.picker.clear()
        if not keep_settings:
            self._use(self.at_start)

    def _use(self, settings: S) -> None:
        self.catalogue = Catalogue.load(self.name, settings.models)
        self.settings = settings

    @property
    def idle(self) -> bool:
        return not self.engine.tasks and not self.deliveries.tasks

    def model(self, name: str) -> Model | None:
        return self.catalogue.get(name)

    def counted(self, path: str, handler: Handler, method: str, label: str | None = None) -> Route:
        """A route whose requests are counted, refused ones too."""
        key = f"{method} {label or path}"

        async def count(request: Request) -> Response:
            self.book.requests[key] += 1
            return await handler(request)

        return Route(path, count, methods=[method])
