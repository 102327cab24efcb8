"""How the references of a prediction reach its provider: through presigned URLs of our bucket.

The bucket is private. Providers that cannot reach it at all are served by `uploads`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.payload import REFERENCE_SCHEME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from storyhook.domain.prediction import Prediction
    from storyhook.ports import Images


@dataclass(frozen=True)
class SignedReferences:
    images: Images

    def urls(self, row: Prediction, until: datetime) -> Mapping[str, str]:
        return {url: self.images.sign_until(key, until) for url, key in keys_of(row).items()}


def keys_of(row: Prediction) -> dict[str, str]:
    """By the URL that stands for it in the stored payload, each reference's key in our bucket."""
    return {REFERENCE_SCHEME + ref["reference_id"]: ref["key"] for ref in row.input["references"]}
