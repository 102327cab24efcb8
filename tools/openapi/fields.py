"""What the fields of requests mean. Not on the classes: a cold start has no use for them."""

from pydantic import BaseModel

from storyhook.http import character_bodies, export_bodies, key_bodies, requests, shares

_EVENTS = (
    "Which events are sent to `callback_url`: `prediction.completed`, `scene.completed`, "
    "`storyboard.completed`."
)
_MODEL = "An id or alias of `GET /models`."
_OPTIONS = "What the model itself takes; `GET /models` lists names and limits."
_SEED = "The same seed, model and input give the same picture, as far as the provider can."
_FALLBACKS = "Models to try, in order, when a prediction fails or waits too long."
_ON_BLOCK = "Whether a block by moderation moves on to the next model, too."
_QUEUE = "How long a prediction may wait without being sent."
_WITHOUT = (
    "What becomes of characters whose references the model cannot be shown: `refuse`, or "
    "`describe` them in words."
)
_CROWD = "Whether others than the characters may be seen; left to the words unless told."
_PAID = (
    "How often one picture may be paid for, should a provider's answer to a submission get lost."
)
_MAX_COST = "USD; refused if it would cost more. Fallbacks and second payments count, too."
_STYLE = "Of every picture, in words."
_CALLBACK = "Where events are sent, signed: a public https URL."

TEXTS: dict[type[BaseModel], dict[str, str]] = {
    character_bodies.ReferenceBody: {
        "url": "A PNG, JPEG or WebP image at a public https URL; it is copied.",
        "upload": "Instead of `url`: the id of an upload of yours, within a day.",
        "prediction": "Instead of `url`: the id of a prediction that made a picture.",
        "role": "What it shows; the main thing, unless told.",
        "angle": "From where it shows it.",
    },
    character_bodies.CharacterBody: {
        "id": "Yours; posting it again makes the next version.",
        "name": "As it is called in prompts.",
        "description": "How it looks, apart from clothes.",
        "outfit": "What it wears; a scene may override it.",
        "kind": "A person, a place or a thing.",
        "references": "Images of it; at most 16.",
        "reference_image_url": "A short form for one reference.",
    },
    character_bodies.CharacterChangeBody: {
        "name": "As it is called in prompts.",
        "description": "How it looks, apart from clothes.",
        "outfit": "What it wears; null takes it away.",
        "kind": "A person, a place or a thing.",
        "version": "The one that you have: refused if there is a newer one.",
    },
    character_bodies.SheetBody: {
        "model": _MODEL + " One of the FLUX.2 family, unless told.",
        "angles": "Those that its references lack, unless told.",
        "role": "Of a person only: `face` or `full_body`; that of the references, unless told.",
        "style": "That of its reference, unless told.",
        "seed": "One for all angles; random unless told.",
        "max_cost": "USD; if all of it would cost more, nothing is made.",
        "callback_url": _CALLBACK,
    },
    character_bodies.UploadBody: {
        "content_type": "Of the file.",
        "bytes": "Its size, if you know it: then no other is taken.",
    },
    key_bodies.LimitsBody: {
        "predictions_per_minute": "Each scene of a board counts as one.",
        "max_cost_per_month": "USD, of all that is accepted in a calendar month (UTC).",
    },
    shares.ShareBody: {
        "expires_in_seconds": "How long the link works: a week, unless told; 90 days at most.",
    },
    key_bodies.KeyBody: {
        "name": "For people.",
        "scopes": "`read` what there is, `write`: make and change it, `admin`: keys and secrets.",
        "limits": "None, unless told.",
        "tenant": "Whose it is; only the operator's keys may name another than their own.",
        "expires_at": "When it stops to work; never, unless told.",
    },
    requests.OverrideBody: {"outfit": "What it wears in this scene."},
    requests.NothingBody: {},
    export_bodies.ExportBody: {
        "format": "What kind of file.",
        "notes": "PDF, EPUB: whether prompts, models and prices stand beside the captions.",
        "page": "PDF: the size of its pages.",
        "method": "ViStoryBench: the folder of the method.",
        "mode": "ViStoryBench: the folder of the method's variant; the board's model, unless told.",
        "language": "ViStoryBench: of which language the story is.",
        "story": "ViStoryBench: the story's number; a title that is a number, else `01`.",
    },
    requests.RotationBody: {
        "force": "Drop the older of two secrets that still sign; it stops within a minute.",
    },
    requests.PredictionBody: {
        "model": _MODEL,
        "prompt": "What the picture shows.",
        "characters": "Ids of those on stage, the most important first.",
        "aspect_ratio": "One that the model draws.",
        "style": _STYLE,
        "seed": _SEED,
        "options": _OPTIONS,
        "crowd": _CROWD,
        "without_references": _WITHOUT,
        "max_paid_attempts": _PAID,
        "max_cost": _MAX_COST,
        "callback_url": _CALLBACK,
        "callback_events": "Only `prediction.completed`.",
    },
    requests.SceneBody: {
        "id": "Yours; `scene-N` unless told.",
        "description": "What happens.",
        "characters": "Ids of those on stage, the most important first.",
        "setting": "Where it happens.",
        "shot": "How much is seen: `wide`, `close-up`, …",
        "camera": "From where: `eye level`, `from behind`, …",
        "light": "`noon`, `candlelight`, …",
        "caption": "Kept with the scene; no model is told.",
        "overrides": "By a character's id: what is different about it in this scene.",
        "model": "Instead of the board's. " + _MODEL,
        "seed": "Instead of the one that follows from the board's.",
        "options": "Added to the board's. " + _OPTIONS,
        "crowd": _CROWD,
        "without_references": "Instead of the board's.",
        "fallback_models": "Instead of the board's.",
        "fallback_on_block": "Instead of the board's.",
        "queue_timeout_seconds": "Instead of the board's.",
        "candidates": "Instead of the board's.",
    },
    requests.SelectionBody: {
        "prediction": "The `id` of one of the scene's candidates that succeeded.",
    },
    requests.StoryboardBody: {
        "title": "For people.",
        "model": _MODEL,
        "seed": "Scenes' seeds follow from it; random unless told.",
        "seed_mode": "`by_scene`: seed + 1000 × (position - 1). `same`: all have the board's.",
        "style": _STYLE,
        "palette": "Colours of every picture, in words or as #rrggbb.",
        "aspect_ratio": "One that the model draws.",
        "options": "Of every scene. " + _OPTIONS,
        "without_references": _WITHOUT,
        "fallback_models": _FALLBACKS,
        "fallback_on_block": _ON_BLOCK,
        "queue_timeout_seconds": _QUEUE,
        "max_paid_attempts": _PAID,
        "max_cost": _MAX_COST,
        "candidates": "Pictures made of each scene, to choose the best; each has the next seed.",
        "callback_url": _CALLBACK,
        "callback_events": _EVENTS,
        "characters": "To create, or to give their next version, on the way.",
        "scenes": "In the order of the story.",
    },
}
