"""Storyhook from Python: stories in, pictures in which the characters stay the same person out."""

from storyhook_client import answers, errors
from storyhook_client.client import Storyhook
from storyhook_client.errors import ApiError, NoAnswer, NotFinished, StoryhookError
from storyhook_client.transport import Patience
from storyhook_client.webhooks import verify

__all__ = [
    "ApiError", "NoAnswer", "NotFinished", "Patience", "Storyhook", "StoryhookError", "answers",
    "errors", "verify",
]  # fmt: skip
