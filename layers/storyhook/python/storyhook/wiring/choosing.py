"""Choosing among candidates: by looking at them, and by the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storyhook.wiring import parts

if TYPE_CHECKING:
    from storyhook import settings
    from storyhook.aws.bucket import Bucket
    from storyhook.aws.table import Table
    from storyhook.http.scenes import SceneRoutes
    from storyhook.usecases.choose import ChooseCandidate


def chooser(config: settings.AssembleSettings) -> ChooseCandidate:
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.imaging.looks import Looks
    from storyhook.usecases.choose import ChooseCandidate

    table = parts.table(config.table_name)
    bucket = parts.bucket(config.bucket_name, parts.OUTPUT_URL_LIFETIME)
    return ChooseCandidate(
        StoryboardTable(table),
        PredictionTable(table),
        Looks(bucket.get),
        parts.tell(config),
        parts.clock,
    )


def routes(table: Table, images: Bucket) -> SceneRoutes:
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.http.scenes import SceneRoutes
    from storyhook.usecases.choose import SelectCandidate

    select = SelectCandidate(StoryboardTable(table), PredictionTable(table), parts.clock)
    return SceneRoutes(select, images)
