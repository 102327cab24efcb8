"""AWS clients with explicit time-outs. Built by `wiring`, one per service and process."""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
)
# Only SigV4 presigned URLs are accepted in every region. They sign their host: it is the bucket's
# own in its region, since the common one sends a new bucket's visitors there, and they fail then.
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """The botocore client of `service`; region, credentials and endpoint come from the runtime."""
    return _session().create_client(service, config=_S3_CONFIG if service == "s3" else _CONFIG)


class LazyClient:
    """Stands for a client that is made when it is first used: each costs 60-90 ms of CPU."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        return getattr(client(self._service), operation)
