"""Single pictures."""

from storyhook.domain import errors
from storyhook.http.requests import NothingBody, PredictionBody
from tools.openapi.answers.pictures import Prediction, PredictionPlan
from tools.openapi.operation import Answer, Operation
from tools.openapi.operations.shared import CREATED, LIMITS, PLANNING, listed
from tools.openapi.parameters import DRY_RUN, PAGE, WAIT

PREDICTION = dict.fromkeys(("getPrediction", "cancelPrediction"), "prediction_id")

OPERATIONS = (
    Operation(
        "createPrediction",
        "POST /predictions",
        "Predictions",
        "Make one picture",
        {
            202: Answer(
                "Accepted. `running`: the provider has it. `queued`: the provider was busy, and it "
                "is sent from the queue.",
                Prediction,
                headers=CREATED,
                links=PREDICTION,
            ),
            200: Answer("The plan, of a dry run.", PredictionPlan),
        },
        "Created at the provider inside this request. How it ends is told to `callback_url`, and "
        "to whoever reads it.",
        body=PredictionBody,
        query=(DRY_RUN,),
        refusals=(*PLANNING, errors.UnknownCharacter, *LIMITS),
        once=True,
    ),
    Operation(
        "listPredictions",
        "GET /predictions",
        "Predictions",
        "List predictions",
        listed(Prediction),
        query=PAGE,
    ),
    Operation(
        "getPrediction",
        "GET /predictions/{prediction_id}",
        "Predictions",
        "One prediction, with its picture",
        {200: Answer("As it stands.", Prediction)},
        query=(WAIT,),
    ),
    Operation(
        "cancelPrediction",
        "POST /predictions/{prediction_id}/cancel",
        "Predictions",
        "Cancel a prediction",
        {
            200: Answer("It is known how it ended.", Prediction),
            202: Answer("Its provider was asked, and has not said.", Prediction),
        },
        "One that waits is not sent; one that runs is canceled at its provider. "
        "`cancellation.in_time` says whether no picture was made.",
        body=NothingBody,
        body_required=False,
    ),
)
