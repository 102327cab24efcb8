"""The smaller resources: callbacks, keys, uploads and models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx

from storyhook_client.answers import Callback, CallbackSecret, Key, Model, Upload
from storyhook_client.errors import BadFile, InvalidRequest, NoAnswer
from storyhook_client.resources.base import Body, Page, Resource, part

_CALLBACKS, _KEYS = "/callbacks", "/keys"
_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}


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
        """`secret` and `callback_secret` of the answer are shown this once."""
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

    def create(self, content_type: str, size_bytes: int) -> Upload:
        body = {"content_type": content_type, "bytes": size_bytes}
        return Upload.of(self.transport.create("/uploads", body))

    def send(self, path: Path) -> Upload:
        """Uploads an image; raises BadFile for one that cannot be read or is refused."""
        kind = _TYPES.get(path.suffix.lower())
        if kind is None:
            raise BadFile(path, f"a picture's name ends in one of {', '.join(_TYPES)}")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadFile(path, error.strerror or str(error)) from error
        try:
            upload = self.create(kind, len(data))
        except InvalidRequest as error:  # it is empty, or too large
            raise BadFile(path, f"{len(data)} bytes: {error.errors[0].message}") from error
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
