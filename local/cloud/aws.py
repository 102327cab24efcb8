"""AWS clients for the emulator, whatever the user's own AWS settings are."""

import os
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from local.cloud.environments import REGION

# botocore's settings, each as (name in the file, environment variable, default, conversion).
_ISOLATED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@cache
def _session() -> boto3.Session:
    core = botocore.session.Session(session_vars=_ISOLATED)
    core.set_credentials("test", "test")
    return boto3.Session(botocore_session=core, region_name=REGION)


def client(service: str, endpoint_url: str, settings: Config | None = None) -> Any:
    config = Config(proxies={}, retries={"mode": "standard", "max_attempts": 2})
    if settings is not None:
        config = config.merge(settings)
    if service == "s3":
        # Only SigV4 URLs are checked by the emulator, and only path-style names resolve.
        config = config.merge(Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    make: Any = _session().client
    return make(service, endpoint_url=endpoint_url, config=config)
