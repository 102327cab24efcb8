"""What several operations have in common."""

from typing import Any

from storyhook.domain import errors
from tools.openapi.answers.base import Page
from tools.openapi.operation import REPLAYED, Answer

CREATED = ("Location", REPLAYED)
# What a plan may be refused for.
PLANNING = (
    errors.UnknownModel,
    errors.ReferencesNotTaken,
    errors.InvalidOption,
    errors.InvalidCallbackUrl,
    errors.ProviderKeyMissing,
)
# What a reference may be refused for: its upload or prediction may not be there, its URL may fail.
FETCHING = (
    errors.TooManyReferences,
    errors.BadReference,
    errors.NotFound,
    errors.DownloadFailed,
    errors.CharacterChanged,
)


# What money and limits may refuse.
LIMITS = (
    errors.MaxCostExceeded,
    errors.PriceUnknown,
    errors.BudgetExceeded,
    errors.RateLimited,
)


def listed(item: Any) -> dict[int, Answer]:
    return {200: Answer("A page, the newest first.", Page[item])}
