"""The catalogue, what anybody may read, and what providers call."""

from storyhook.domain import errors
from tools.openapi.answers.base import AnyObject, Nothing
from tools.openapi.answers.models import Models
from tools.openapi.operation import Answer, Operation
from tools.openapi.parameters import SORT

OPERATIONS = (
    Operation(
        "listModels",
        "GET /models",
        "Models",
        "The catalogue: what models take, and what they cost",
        {200: Answer("All of them.", Models)},
        query=(SORT,),
    ),
    Operation(
        "getDescription",
        "GET /openapi.json",
        "Documentation",
        "This description",
        {200: Answer("OpenAPI 3.1.", AnyObject, exemplary=False)},
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
        "A part of a page",
        {200: Answer("A script or style.", content_types=("text/javascript", "text/css"))},
        public=True,
    ),
    Operation(
        "getBoardPage",
        "GET /storyboards/{storyboard_id}/view",
        "Documentation",
        "A page to look at a storyboard by a shared link",
        {200: Answer("The page, the same for all.", content_types=("text/html",))},
        "It reads the board with the link's secret, which stands behind the `#` of its URL.",
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
        {200: Answer("Heard, whatever it changed.", Nothing)},
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
