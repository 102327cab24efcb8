"""What the API answers, typed."""

from storyhook_client.answers.account import Address, Attempt, Callback, CallbackSecret, Key
from storyhook_client.answers.base import Answer, Urls
from storyhook_client.answers.boards import (
    Event,
    Progress,
    Scene,
    ScenePlan,
    Storyboard,
    StoryboardPlan,
    StoryboardSummary,
)
from storyhook_client.answers.catalogue import Model, Price, PriceExample, ReferenceRule
from storyhook_client.answers.library import Character, Reference, Upload
from storyhook_client.answers.pictures import (
    OPEN,
    Cancellation,
    Cost,
    Image,
    Metrics,
    Output,
    PlacedReference,
    Plan,
    Prediction,
    PredictionInput,
    PriceLine,
    Problem,
)

__all__ = [
    "OPEN", "Address", "Answer", "Attempt", "Callback", "CallbackSecret", "Cancellation",
    "Character", "Cost", "Event", "Image", "Key", "Metrics", "Model", "Output", "PlacedReference",
    "Plan", "Prediction", "PredictionInput", "Price", "PriceExample", "PriceLine", "Problem",
    "Progress", "Reference", "ReferenceRule", "Scene", "ScenePlan", "Storyboard",
    "StoryboardPlan", "StoryboardSummary", "Upload", "Urls",
]  # fmt: skip
