"""One class for each kind of thing."""

from storyhook_client.resources.characters import Characters
from storyhook_client.resources.exports import Exports
from storyhook_client.resources.others import Callbacks, Keys, Models, Uploads
from storyhook_client.resources.predictions import Predictions
from storyhook_client.resources.storyboards import Storyboards

__all__ = [
    "Callbacks", "Characters", "Exports", "Keys", "Models", "Predictions", "Storyboards",
    "Uploads",
]  # fmt: skip
