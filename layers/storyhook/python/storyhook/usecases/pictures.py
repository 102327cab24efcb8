"""Where reference pictures come from: a URL, an upload of the caller's, a prediction of theirs.

All are read whole, checked by their bytes, and kept under a key that their content names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storyhook.domain.access import owned
from storyhook.domain.errors import (
    BadReference,
    DownloadFailed,
    FieldError,
    NotFound,
    StoryhookError,
)
from storyhook.domain.ids import ENTROPY_BYTES, new_id
from storyhook.domain.images import check_reference, inspect
from storyhook.domain.library import UPLOAD_FORM_SECONDS, UploadForm
from storyhook.domain.prediction import Status
from storyhook.domain.story import MAIN_ROLES, MAX_REFERENCE_BYTES, Reference

if TYPE_CHECKING:
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.images import ImageFacts
    from storyhook.domain.requests import ReferenceRequest
    from storyhook.ports import Clock, Entropy, Images, ImageSource, Predictions
    from storyhook.ports.library import UploadSpace

_MOST = f"{MAX_REFERENCE_BYTES // (1024 * 1024)} MB"


def upload_key(tenant: str, upload_id: str) -> str:
    """Nobody can name another tenant's upload: the key is made of their own name."""
    return f"uploads/{tenant}/{upload_id}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A reference, and the file to put under its key."""

    reference: Reference
    data: bytes


@dataclass(frozen=True)
class FetchReference:
    source: ImageSource
    images: Images
    space: UploadSpace
    predictions: Predictions
    clock: Clock
    entropy: Entropy

    def __call__(self, tenant: str, kind: str, request: ReferenceRequest, place: str) -> Fetched:
        """The picture of a character of `kind`; `place` is where the request has it.

        Raises BadReference, NotFound or, where asking again may help, DownloadFailed.
        """
        what = "url" if request.url else "upload" if request.upload else "prediction"
        path = f"{place}.{what}".lstrip(".")
        try:
            request, data, facts = self._read(tenant, request)
            check_reference(facts)
        except StoryhookError as error:
            told = (FieldError(path, error.detail),)
            if isinstance(error, NotFound) or (
                isinstance(error, DownloadFailed) and error.retryable
            ):
                error.errors = told
                raise
            raise BadReference(error.detail, told) from error
        reference = Reference(
            id=new_id("ref", self.clock(), self.entropy(ENTROPY_BYTES)),
            role=request.role or MAIN_ROLES[kind],
            angle=request.angle or "front",
            # Named by content: the same picture is stored once per tenant.
            key=f"references/{tenant}/{facts.sha256}.{facts.extension}",
            content_type=facts.content_type,
            width=facts.width,
            height=facts.height,
            size_bytes=facts.size_bytes,
            sha256=facts.sha256,
        )
        return Fetched(reference, data)

    def _read(
        self, tenant: str, request: ReferenceRequest
    ) -> tuple[ReferenceRequest, bytes, ImageFacts]:
        if request.url:
            return request, *self.source.fetch(request.url)
        if request.upload:
            data = self._uploaded(tenant, request.upload)
        else:
            request, data = self._predicted(tenant, request)
        return request, data, inspect(data)

    def _uploaded(self, tenant: str, upload_id: str) -> bytes:
        key = upload_key(tenant, upload_id)
        size = self.space.size(key)
        if size is None:
            raise NotFound(
                f"There is no upload {upload_id!r} with a file in it; send the file as POST "
                "/uploads says, and use it within a day."
            )
        _check_size(size)
        return self.images.get(key)

    def _predicted(self, tenant: str, request: ReferenceRequest) -> tuple[ReferenceRequest, bytes]:
        """Its first picture; what the sheet wanted it to show is what it shows, unless told."""
        found = self.predictions.get(request.prediction or "")
        row = owned(found, tenant, f"prediction {request.prediction!r}")
        if row.status is not Status.SUCCEEDED:
            raise BadReference(
                f"{row.id} is {row.status.public}; a reference is made of one that succeeded."
            )
        image, sheet = row.images[0], row.input.get("sheet", {})
        _check_size(image.size_bytes)
        role, angle = request.role or sheet.get("role"), request.angle or sheet.get("angle")
        return replace(request, role=role, angle=angle), self.images.get(image.key)


def _check_size(size_bytes: int) -> None:
    if size_bytes > MAX_REFERENCE_BYTES:
        raise BadReference(f"The picture has {size_bytes} bytes; {_MOST} are allowed.")


@dataclass(frozen=True)
class OpenUpload:
    """Lets a caller, or their browser, put one file where only they can use it."""

    space: UploadSpace

    def __call__(
        self, tenant: str, content_type: str, size_bytes: int | None, origin: Origin
    ) -> UploadForm:
        """A form for one file of this type; of exactly `size_bytes`, if that is given."""
        upload_id = origin.id("up")
        sizes = (size_bytes or 1, size_bytes or MAX_REFERENCE_BYTES)
        url, fields, until = self.space.form(
            upload_key(tenant, upload_id), content_type, sizes, UPLOAD_FORM_SECONDS
        )
        return UploadForm(upload_id, url, fields, until, sizes[1])
