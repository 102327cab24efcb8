"""Storyboards."""

from storyhook.domain import errors
from storyhook.http.requests import NothingBody, SelectionBody, StoryboardBody
from tools.openapi.answers.boards import (
    News,
    SceneOfBoard,
    Storyboard,
    StoryboardPlan,
    StoryboardSummary,
)
from tools.openapi.operation import Answer, Operation
from tools.openapi.operations.shared import CREATED, FETCHING, LIMITS, PLANNING, listed
from tools.openapi.parameters import DRY_RUN, NEWS, PAGE, WAIT

_SCENE = "/storyboards/{storyboard_id}/scenes/{scene_id}"
STORYBOARD = dict.fromkeys(
    ("getStoryboard", "listEvents", "shareStoryboard", "cancelStoryboard"), "storyboard_id"
)

OPERATIONS = (
    Operation(
        "createStoryboard",
        "POST /storyboards",
        "Storyboards",
        "Make the pictures of a story",
        {
            202: Answer("Accepted.", Storyboard, headers=CREATED, links=STORYBOARD),
            200: Answer("The plan, of a dry run.", StoryboardPlan),
        },
        "Its scenes are made side by side; each ends for itself. Characters may be brought along: "
        "a reference takes the place of those with its role and angle, others stay.",
        body=StoryboardBody,
        query=(DRY_RUN,),
        refusals=(*PLANNING, errors.UnknownCharacter, *FETCHING, *LIMITS),
        once=True,
    ),
    Operation(
        "listStoryboards",
        "GET /storyboards",
        "Storyboards",
        "List storyboards, without their scenes",
        listed(StoryboardSummary),
        query=PAGE,
    ),
    Operation(
        "getStoryboard",
        "GET /storyboards/{storyboard_id}",
        "Storyboards",
        "One storyboard, with every scene",
        {200: Answer("As it stands.", Storyboard)},
        query=(WAIT,),
    ),
    Operation(
        "listEvents",
        "GET /storyboards/{storyboard_id}/events",
        "Storyboards",
        "What has happened in a storyboard since you last asked",
        {200: Answer("In the order in which it happened; empty when nothing has.", News)},
        "For readers without a `callback_url`: ask with `after` and `wait` until "
        "`storyboard.completed`. Every event is told once along a chain of `next`.",
        query=NEWS,
    ),
    Operation(
        "cancelStoryboard",
        "POST /storyboards/{storyboard_id}/cancel",
        "Storyboards",
        "Cancel what is not over of a storyboard",
        {
            200: Answer("It is over.", Storyboard),
            202: Answer("Some of its scenes are not over yet.", Storyboard),
        },
        "Finished scenes are kept. `cancellation` of each scene says whether no picture was made.",
        body=NothingBody,
        body_required=False,
    ),
    Operation(
        "selectCandidate",
        f"POST {_SCENE}/select",
        "Storyboards",
        "Choose another candidate as a scene's picture",
        {200: Answer("The scene as it is then.", SceneOfBoard)},
        "Also while the board is running; the checks do not change it any more.",
        body=SelectionBody,
        refusals=(errors.NotSelectable, errors.SceneLocked),
    ),
    Operation(
        "lockScene",
        f"POST {_SCENE}/lock",
        "Storyboards",
        "Keep a scene as it is",
        {200: Answer("The scene.", SceneOfBoard)},
        body=NothingBody,
        body_required=False,
    ),
    Operation(
        "unlockScene",
        f"POST {_SCENE}/unlock",
        "Storyboards",
        "Let a scene be made anew again",
        {200: Answer("The scene.", SceneOfBoard)},
        body=NothingBody,
        body_required=False,
    ),
)
