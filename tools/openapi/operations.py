"""Every route of the API: a new one is one more entry of OPERATIONS, and a visit in `story`."""

from typing import Any

from storyhook.domain import errors, model_views
from storyhook.domain.callback import CallbackStatus
from storyhook.http import pages
from storyhook.http.requests import (
    CharacterBody,
    NothingBody,
    PredictionBody,
    RotationBody,
    StoryboardBody,
)
from tools.openapi import answers
from tools.openapi.operation import Answer, Operation, Parameter

# What can follow, by the kind of thing whose `id` an answer has.
PREDICTION = dict.fromkeys(("getPrediction", "cancelPrediction"), "prediction_id")
STORYBOARD = dict.fromkeys(("getStoryboard", "cancelStoryboard"), "storyboard_id")
CHARACTER = {"getCharacter": "character_id"}
CALLBACK = dict.fromkeys(("getCallback", "replayCallback"), "callback_id")

_ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
PATH_PARAMETERS = {
    each.name: each
    for each in (
        Parameter("character_id", "As given when it was created.", _ID),
        Parameter("prediction_id", "The prediction's `id`.", _ID),
        Parameter("storyboard_id", "The board's `id`.", _ID),
        Parameter("callback_id", "The callback's `id`, which is its `webhook-id` too.", _ID),
        Parameter("provider", "Who calls.", {"type": "string", "enum": ["fal", "replicate"]}),
        Parameter("token", "It is in the URL that the provider was given.", {"type": "string"}),
        Parameter("file", "As the page names it.", {"type": "string", "enum": [*pages.ASSETS]}),
        Parameter("slug", "The last part of a `type`.", {"type": "string", "pattern": "^[a-z-]+$"}),
    )
}
_PAGE = (
    Parameter(
        "limit",
        "How many at most.",
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    ),
    Parameter(
        "cursor",
        "The `next_cursor` of the page before.",
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    ),
)
_DRY_RUN = Parameter(
    "dry_run",
    "`true`: answer the plan and its price. Nothing is written or paid.",
    {"type": "boolean", "default": False},
)
# What a plan may be refused for.
_PLANNING = (
    errors.UnknownModel,
    errors.UnknownCharacter,
    errors.ReferencesNotTaken,
    errors.InvalidOption,
    errors.InvalidCallbackUrl,
    errors.ProviderKeyMissing,
)
# What a reference's URL may be refused for.
_FETCHING = (errors.TooManyReferences, errors.BadReference, errors.DownloadFailed)


def _list(item: Any) -> dict[int, Answer]:
    return {200: Answer("A page, the newest first.", answers.Page[item])}


OPERATIONS = (
    Operation(
        "createCharacter",
        "POST /characters",
        "Characters",
        "Create a character, location or prop, or its next version",
        {
            201: Answer(
                "The first version.", answers.Character, headers=("Location",), links=CHARACTER
            ),
            200: Answer(
                "The next version of one that there was.", answers.Character, links=CHARACTER
            ),
        },
        "Its reference images are fetched, checked and copied before this answers. References of "
        "the version before are replaced. `reference_image_url` is a short form of one reference.",
        body=CharacterBody,
        refusals=_FETCHING,
    ),
    Operation(
        "listCharacters",
        "GET /characters",
        "Characters",
        "List characters, locations and props",
        _list(answers.Character),
        query=_PAGE,
    ),
    Operation(
        "getCharacter",
        "GET /characters/{character_id}",
        "Characters",
        "One character, with its references",
        {200: Answer("The newest version.", answers.Character)},
    ),
    Operation(
        "createPrediction",
        "POST /predictions",
        "Predictions",
        "Make one picture",
        {
            202: Answer(
                "Accepted. `running`: the provider has it. `queued`: the provider was busy, and it "
                "is sent from the queue.",
                answers.Prediction,
                headers=("Location",),
                links=PREDICTION,
            ),
            200: Answer("The plan, of a dry run.", answers.PredictionPlan),
        },
        "Created at the provider inside this request. How it ends is told to `callback_url`, and "
        "to whoever reads it.",
        body=PredictionBody,
        query=(_DRY_RUN,),
        refusals=_PLANNING,
    ),
    Operation(
        "listPredictions",
        "GET /predictions",
        "Predictions",
        "List predictions",
        _list(answers.Prediction),
        query=_PAGE,
    ),
    Operation(
        "getPrediction",
        "GET /predictions/{prediction_id}",
        "Predictions",
        "One prediction, with its picture",
        {200: Answer("As it stands.", answers.Prediction)},
    ),
    Operation(
        "cancelPrediction",
        "POST /predictions/{prediction_id}/cancel",
        "Predictions",
        "Cancel a prediction",
        {
            200: Answer("It is known how it ended.", answers.Prediction),
            202: Answer(
                "Its provider was asked, and has not said.", answers.Prediction, headers=()
            ),
        },
        "One that waits is not sent; one that runs is canceled at its provider. "
        "`cancellation.in_time` says whether no picture was made.",
        body=NothingBody,
        body_required=False,
    ),
    Operation(
        "createStoryboard",
        "POST /storyboards",
        "Storyboards",
        "Make the pictures of a story",
        {
            202: Answer("Accepted.", answers.Storyboard, headers=("Location",), links=STORYBOARD),
            200: Answer("The plan, of a dry run.", answers.StoryboardPlan),
        },
        "Its scenes are made side by side; each ends for itself. Characters may be brought along.",
        body=StoryboardBody,
        query=(_DRY_RUN,),
        refusals=(*_PLANNING, *_FETCHING),
    ),
    Operation(
        "listStoryboards",
        "GET /storyboards",
        "Storyboards",
        "List storyboards, without their scenes",
        _list(answers.StoryboardSummary),
        query=_PAGE,
    ),
    Operation(
        "getStoryboard",
        "GET /storyboards/{storyboard_id}",
        "Storyboards",
        "One storyboard, with every scene",
        {200: Answer("As it stands.", answers.Storyboard)},
    ),
    Operation(
        "cancelStoryboard",
        "POST /storyboards/{storyboard_id}/cancel",
        "Storyboards",
        "Cancel what is not over of a storyboard",
        {
            200: Answer("It is over.", answers.Storyboard),
            202: Answer("Some of its scenes are not over yet.", answers.Storyboard),
        },
        "Finished scenes are kept. `cancellation` of each scene says whether no picture was made.",
        body=NothingBody,
        body_required=False,
    ),
    Operation(
        "listCallbacks",
        "GET /callbacks",
        "Callbacks",
        "What was sent to your URLs in the last 30 days",
        _list(answers.Callback),
        "A page may be short or empty while `next_cursor` goes on: filters leave out others of the "
        "`limit` that were looked at.",
        query=(
            *_PAGE,
            Parameter(
                "status",
                "Only those.",
                {"type": "string", "enum": [s.value for s in CallbackStatus]},
            ),
            Parameter(
                "subject",
                "Only of this prediction, or of this board and its parts.",
                {"type": "string", "pattern": "^(pred|sb)_[A-Za-z0-9]{1,40}$"},
            ),
        ),
    ),
    Operation(
        "getCallback",
        "GET /callbacks/{callback_id}",
        "Callbacks",
        "One callback: every try, and what is sent",
        {200: Answer("As it stands.", answers.CallbackWithPayload)},
    ),
    Operation(
        "replayCallback",
        "POST /callbacks/{callback_id}/replay",
        "Callbacks",
        "Send a callback again, now",
        {202: Answer("Queued.", answers.Callback, headers=("Location",), links=CALLBACK)},
        "The same id, the same bytes, and a fresh schedule if it fails.",
        body=NothingBody,
        body_required=False,
    ),
    Operation(
        "getCallbackSecret",
        "GET /callback-secret",
        "Callbacks",
        "The secret that signs your callbacks",
        {200: Answer("The newest.", answers.CallbackSecret)},
        refusals=(errors.SettingsError,),
    ),
    Operation(
        "rotateCallbackSecret",
        "POST /callback-secret/rotate",
        "Callbacks",
        "Make the next secret",
        {200: Answer("The next; both sign for 24 hours.", answers.CallbackSecret)},
        body=RotationBody,
        body_required=False,
        refusals=(errors.RotationTooSoon, errors.SettingsError),
    ),
    Operation(
        "listModels",
        "GET /models",
        "Models",
        "The catalogue: what models take, and what they cost",
        {200: Answer("All of them.", answers.Models)},
        query=(
            Parameter(
                "sort",
                "By what one picture costs, how long it takes, or how well faces are kept.",
                {"type": "string", "enum": list(model_views.SORTS)},
            ),
        ),
    ),
    Operation(
        "getDescription",
        "GET /openapi.json",
        "Documentation",
        "This description",
        {200: Answer("OpenAPI 3.1.", answers.AnyObject, exemplary=False)},
        public=True,
    ),
    Operation(
        "getDocs",
        "GET /docs",
        "Documentation",
        "A page to read this on, and to try it",
        {200: Answer("The page.", content_types=("text/html",))},
        public=True,
    ),
    Operation(
        "getDocsFile",
        "GET /docs/{file}",
        "Documentation",
        "A part of that page",
        {200: Answer("A script or style.", content_types=("text/javascript", "text/css"))},
        public=True,
    ),
    Operation(
        "getProblem",
        "GET /problems/{slug}",
        "Documentation",
        "What a problem's `type` means",
        {200: Answer("A page.", content_types=("text/html",))},
        public=True,
    ),
    Operation(
        "receiveWebhook",
        "POST /webhooks/{provider}/{token}",
        "Webhooks",
        "For the providers: a prediction has ended",
        {200: Answer("Heard, whatever it changed.", answers.Nothing)},
        "Verified by the provider's own signature over the raw bytes.",
        refusals=(
            errors.BadSignature,
            errors.StaleSignature,
            errors.PayloadTooLarge,
            errors.DownloadFailed,
            errors.SettingsError,
        ),
        public=True,
    ),
)
