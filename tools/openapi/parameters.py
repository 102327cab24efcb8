"""What stands in paths, queries and headers of requests."""

from typing import Any

from storyhook.domain import model_views
from storyhook.domain.callback import CallbackStatus
from storyhook.domain.story import KINDS
from storyhook.http import pages
from tools.openapi.operation import Parameter

_ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
_CURSOR = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
IN_PATHS = {
    each.name: each
    for each in (
        Parameter("character_id", "As given when it was created.", _ID),
        Parameter("reference_id", "The `id` of one of the character's `references`.", _ID),
        Parameter("prediction_id", "The prediction's `id`.", _ID),
        Parameter("storyboard_id", "The board's `id`.", _ID),
        Parameter("scene_id", "As given with the board, or `scene-` and its position.", _ID),
        Parameter("share_id", "The link's `id`; not its secret.", _ID),
        Parameter("export_id", "The export's `id`.", _ID),
        Parameter("key_id", "The key's `id`; not its secret.", _ID),
        Parameter("callback_id", "The callback's `id`, which is its `webhook-id` too.", _ID),
        Parameter("provider", "Who calls.", {"type": "string", "enum": ["fal", "replicate"]}),
        Parameter("token", "It is in the URL that the provider was given.", {"type": "string"}),
        Parameter("file", "As a page names it.", {"type": "string", "enum": [*pages.ASSETS]}),
        Parameter("slug", "The last part of a `type`.", {"type": "string", "pattern": "^[a-z-]+$"}),
    )
}


def _whole(least: int, most: int, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, **more}


def _one_of(*names: str) -> dict[str, Any]:
    return {"type": "string", "enum": [*names]}


_LIMIT = Parameter("limit", "How many at most.", _whole(1, 100, default=20))
PAGE = (
    _LIMIT,
    Parameter("cursor", "The `next_cursor` of the page before; of this list only.", _CURSOR),
)
WAIT = Parameter(
    "wait",
    "Seconds to wait until it is over; with `If-None-Match`, until it is another than that. "
    "Where too many wait already, the answer comes at once.",
    _whole(0, 20, default=0),
)
NEWS = (
    Parameter("after", "The `next` of the answer before; from the beginning without it.", _CURSOR),
    _LIMIT,
    Parameter("wait", "Seconds to wait while there is nothing new.", _whole(0, 20, default=0)),
)
DRY_RUN = Parameter(
    "dry_run",
    "`true`: answer the plan and its price. Nothing is written or paid.",
    {"type": "boolean", "default": False},
)
KIND = Parameter("kind", "Only those.", _one_of(*KINDS))
VERSION = Parameter("version", "This one instead of the newest.", _whole(1, 999_999))
STATUS = Parameter("status", "Only those.", _one_of(*CallbackStatus))
SUBJECT = Parameter(
    "subject",
    "Only of this prediction, or of this board and its parts.",
    {"type": "string", "pattern": "^(pred|sb)_[A-Za-z0-9]{1,40}$"},
)
SORT = Parameter(
    "sort",
    "By what one picture costs, how long it takes, or how well faces are kept.",
    _one_of(*model_views.SORTS),
)

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "Yours, such as a UUID. The same request with the same key within 24 hours makes nothing more: "
    "it is answered with what the first one made.",
    {"type": "string", "pattern": "^[ -~]{1,255}$"},
)
IF_NONE_MATCH = Parameter(
    "If-None-Match",
    "The `ETag` of the answer that you have: if it still holds, 304 without a body.",
    {"type": "string"},
)
