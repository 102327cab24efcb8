"""The client of one stack."""

from __future__ import annotations

from types import TracebackType

from storyhook_client import resources
from storyhook_client.profiles import Profile, configured
from storyhook_client.transport import Patience, Surroundings, Transport


class Storyhook:
    """`url` and `key` as `make up` and `make deploy` print them.

    with Storyhook("https://…", "shk_…") as storyhook:
        board = storyhook.storyboards.create({"model": "flux-2-pro", "scenes": [...]})
        board = storyhook.storyboards.wait(board.id)
        storyhook.storyboards.download(board, Path("pictures"))
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: Patience | None = None,
        around: Surroundings | None = None,
    ) -> None:
        self.transport = Transport(url, key, patience or Patience(), around or Surroundings())
        self.characters = resources.Characters(self.transport)
        self.predictions = resources.Predictions(self.transport)
        self.storyboards = resources.Storyboards(self.transport)
        self.exports = resources.Exports(self.transport)
        self.callbacks = resources.Callbacks(self.transport)
        self.keys = resources.Keys(self.transport)
        self.uploads = resources.Uploads(self.transport)
        self.models = resources.Models(self.transport)

    @classmethod
    def configured(cls, profile: str | None = None) -> Storyhook:
        """By STORYHOOK_URL and STORYHOOK_API_KEY, or a profile; raises BadConfiguration."""
        found: Profile = configured(profile)
        return cls(found.url, found.key)

    def close(self) -> None:
        self.transport.close()

    def __enter__(self) -> Storyhook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
