"""Our private bucket. Objects are read through presigned URLs only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from storyhook.domain.files import StoredFile

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from storyhook.ports import Clock

# What SigV4 allows. Where the credentials are a role's, the URL ends with them at the latest.
_MAX_URL_LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class Bucket:
    client: Any
    name: str
    clock: Clock
    url_lifetime: timedelta

    def put(self, key: str, data: bytes, content_type: str) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data, ContentType=content_type)

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def put_file(self, key: str, path: Path, content_type: str, name: str) -> StoredFile:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            # Read as it is sent; in one request, which may be of 5 GB.
            self.client.put_object(
                Bucket=self.name,
                Key=key,
                Body=file,
                ContentType=content_type,
                ContentDisposition=f'attachment; filename="{name}"',
            )
        return StoredFile(key, content_type, path.stat().st_size, digest)

    def form(
        self, key: str, content_type: str, sizes: tuple[int, int], seconds: int
    ) -> tuple[str, dict[str, str], datetime]:
        until = self.clock() + timedelta(seconds=seconds)
        made = self.client.generate_presigned_post(
            Bucket=self.name,
            Key=key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", *sizes]],
            ExpiresIn=seconds,
        )
        return made["url"], made["fields"], until

    def size(self, key: str) -> int | None:
        # A list, since reading what is not there looks like reading what is not allowed.
        found = self.client.list_objects_v2(Bucket=self.name, Prefix=key, MaxKeys=1)
        sizes: dict[str, int] = {each["Key"]: each["Size"] for each in found.get("Contents", [])}
        return sizes.get(key)

    def sign(self, key: str) -> tuple[str, datetime]:
        return self._signed(key, self.url_lifetime), self.clock() + self.url_lifetime

    def sign_until(self, key: str, until: datetime) -> str:
        return self._signed(key, min(until - self.clock(), _MAX_URL_LIFETIME))

    def _signed(self, key: str, lifetime: timedelta) -> str:
        url: str = self.client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.name, "Key": key},
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return url
