"""Every route of the API: a new one is one more entry here, and a visit in `story`."""

from tools.openapi.operations import (
    boards,
    callbacks,
    exports,
    keys,
    library,
    predictions,
    public,
    shares,
)

OPERATIONS = (
    *library.OPERATIONS,
    *predictions.OPERATIONS,
    *boards.OPERATIONS,
    *shares.OPERATIONS,
    *exports.OPERATIONS,
    *callbacks.OPERATIONS,
    *keys.OPERATIONS,
    *public.OPERATIONS,
)
