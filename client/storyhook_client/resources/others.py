"""The smaller resources: callbacks, keys, uploads and models."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import Path

import httpx

from storyhook_client.answers import Callback, CallbackSecret, Key, Model, Upload
from storyhook_client.errors import BadFile, NoAnswer
from storyhook_client.resources.base import Body, Page, Resource, part

_CALLBACKS, _KEYS = "/callbacks", "/keys"


class Callbacks(Resource):
    """What was sent to your URL, and the secret that signs it."""

    def get(self, callback_id: str) -> Callback:
        return Callback.of(self.transport.get(f"{_CALLBACKS}/{part(callback_id)}"))

    def list(
        self, *, status: str | None = None, subject: str | None = None, limit: int | None = None
    ) -> Iterator[Callback]:
        """`status`: pending, delivered or failed; `subject`: a prediction's or board's id."""
        return self._all(Callback, _CALLBACKS, status=status, subject=subject, limit=limit)

    def page(
        self,
        *,
        status: str | None = None,
        subject: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Callback]:
        return self._page(
            Callback, _CALLBACKS, status=status, subject=subject, limit=limit, cursor=cursor
        )

    def replay(self, callback_id: str) -> Callback:
        """Sends it once more, now."""
        return Callback.of(self.transport.post(f"{_CALLBACKS}/{part(callback_id)}/replay"))

    def secret(self) -> CallbackSecret:
        return CallbackSecret.of(self.transport.get("/callback-secret"))

    def rotate_secret(self, *, force: bool = False) -> CallbackSecret:
        """The next secret; `force` drops the one before it at once, for one that has leaked."""
        return CallbackSecret.of(self.transport.post("/callback-secret/rotate", {"force": force}))


class Keys(Resource):
    """API keys; these calls need the scope `admin`."""

    def create(self, body: Body) -> Key:
        """`key` of the answer is the secret: it is shown this once."""
        return Key.of(self.transport.create(_KEYS, body))

    def get(self, key_id: str) -> Key:
        return Key.of(self.transport.get(f"{_KEYS}/{part(key_id)}"))

    def list(self, *, limit: int | None = None) -> Iterator[Key]:
        return self._all(Key, _KEYS, limit=limit)

    def page(self, *, limit: int | None = None, cursor: str | None = None) -> Page[Key]:
        return self._page(Key, _KEYS, limit=limit, cursor=cursor)

    def revoke(self, key_id: str) -> None:
        self.transport.delete(f"{_KEYS}/{part(key_id)}")


class Uploads(Resource):
    """Files of your own that become reference images: `{"upload": upload.id}` in `references`."""

    def create(self, content_type: str) -> Upload:
        return Upload.of(self.transport.create("/uploads", {"content_type": content_type}))

    def send(self, path: Path) -> Upload:
        """Uploads an image; raises BadFile for one that cannot be read or is refused."""
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadFile(path, error.strerror or str(error)) from error
        upload = self.create(kind)
        if upload.max_bytes and len(data) > upload.max_bytes:
            raise BadFile(path, f"{len(data)} bytes; a reference has at most {upload.max_bytes}")
        try:
            answer = self.transport.files.post(
                upload.url, data=upload.fields, files={"file": (path.name, data, kind)}
            )
        except httpx.HTTPError as error:
            raise NoAnswer(f"{path} could not be uploaded: {error}") from error
        if not answer.is_success:
            raise BadFile(path, f"the upload is refused (HTTP {answer.status_code})")
        return upload


class Models(Resource):
    """The catalogue."""

    def list(self, *, sort: str | None = None) -> tuple[Model, ...]:
        """`sort`: price, speed or consistency."""
        return self._page(Model, "/models", sort=sort).items
