"""Tells the stories: what each function asked of AWS, and what it said."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from storyhook import logs
from tests.fixtures import cloud as clouds
from tests.fixtures import functions
from tests.fixtures.clock import Clock
from tests.fixtures.functions import Stage
from tests.needs.calls import Call
from tests.needs.stories import STORIES


@dataclass(frozen=True)
class Told:
    calls: dict[str, list[Call]]
    """By function."""
    lines: list[dict[str, Any]]
    """Of all functions, as CloudWatch gets them."""


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextmanager
def fresh_stage() -> Iterator[Stage]:
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        clouds.running() as cloud,
        functions.staged(cloud, Clock(), monkeypatch) as stage,
    ):
        yield stage


def tell(story: str) -> Told:
    """Nothing is refused meanwhile, so that all that a role lacks is found at once."""
    with fresh_stage() as stage, listening() as texts:
        stage.enforce_roles = False
        STORIES[story](stage)
    return Told(stage.calls, [json.loads(text) for text in texts])


@contextmanager
def listening() -> Iterator[list[str]]:
    """What is logged, line by line."""
    logger = logs.logger()
    lines = _Lines()
    lines.setFormatter(logger.registered_formatter)
    logger.addHandler(lines)
    try:
        yield lines.texts
    finally:
        logging.getLogger(logger.service).removeHandler(lines)
