"""The routes of characters and uploads, plugged together. For the api function alone."""

import secrets as randomness
from typing import TYPE_CHECKING

from storyhook import settings
from storyhook.wiring import parts

if TYPE_CHECKING:
    from storyhook.aws.bucket import Bucket
    from storyhook.domain.catalogue import Catalogue
    from storyhook.http.characters import CharacterRoutes
    from storyhook.http.etags import Reads
    from storyhook.web.guard import Guard


def routes(
    config: settings.ApiSettings,
    images: "Bucket",
    guard: "Guard",
    models: "Catalogue",
    reads: "Reads",
) -> "CharacterRoutes":
    from storyhook.aws.characters import CharacterTable
    from storyhook.aws.predictions import PredictionTable
    from storyhook.aws.storyboards import StoryboardTable
    from storyhook.domain.story import MAX_REFERENCE_BYTES
    from storyhook.http.characters import CharacterRoutes
    from storyhook.usecases.characters import (
        DeleteCharacter,
        EditCharacter,
        ReadCharacter,
        SaveCharacter,
    )
    from storyhook.usecases.pictures import FetchReference, OpenUpload
    from storyhook.usecases.sheets import MakeSheet
    from storyhook.usecases.stale import Stale
    from storyhook.web.images import HttpImages
    from storyhook.wiring import keys

    table = parts.table(config.table_name)
    characters, predictions = CharacterTable(table), PredictionTable(table)
    storyboards = StoryboardTable(table)
    clock, entropy = parts.clock, randomness.token_bytes
    fetch = FetchReference(
        HttpImages(guard, MAX_REFERENCE_BYTES), images, images, predictions, clock, entropy
    )
    return CharacterRoutes(
        characters,
        images,
        SaveCharacter(characters, images, fetch, clock),
        EditCharacter(characters, images, fetch, clock),
        DeleteCharacter(characters, storyboards, clock),
        ReadCharacter(characters),
        Stale(characters, storyboards, parts.read_storyboard(table), models),
        MakeSheet(
            characters,
            predictions,
            parts.submissions(config.submissions_queue_url),
            keys.allowance(table),
            models,
            parts.provider_keys(config.secrets_prefix),
            guard,
            clock,
            entropy,
        ),
        OpenUpload(images),
        parts.once(table),
        reads,
    )
