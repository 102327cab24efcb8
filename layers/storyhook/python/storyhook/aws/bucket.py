"""Our private bucket. Objects are read through presigned URLs only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from storyhook.ports import Clock


@dataclass(frozen=True)
class Bucket:
    client: Any
    name: str
    clock: Clock
    url_lifetime: timedelta

    def put(self, key: str, data: bytes, content_type: str) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data, ContentType=content_type)

    def sign(self, key: str) -> tuple[str, datetime]:
        url: str = self.client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.name, "Key": key},
            ExpiresIn=int(self.url_lifetime.total_seconds()),
        )
        return url, self.clock() + self.url_lifetime
