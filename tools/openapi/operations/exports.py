"""Boards as files."""

from storyhook.domain import errors
from storyhook.http.export_bodies import ExportBody
from tools.openapi.answers.exports import Export
from tools.openapi.operation import Answer, Operation
from tools.openapi.operations.shared import listed
from tools.openapi.parameters import PAGE, WAIT

OPERATIONS = (
    Operation(
        "createExport",
        "POST /storyboards/{storyboard_id}/exports",
        "Storyboards",
        "Make a file of a finished storyboard",
        {
            200: Answer("It is there: the same was asked for before.", Export),
            202: Answer(
                "It is being made.",
                Export,
                headers=("Location",),
                links={"getExport": "export_id"},
            ),
        },
        "A contact sheet, a PDF, a comic book, an e-book, a shot list, a ZIP of everything, or "
        "ViStoryBench's folders. Its id follows from the board as it stands, so asking again is "
        "safe and finds the same file; a board that has changed makes another.",
        body=ExportBody,
        refusals=(errors.StoryboardRunning,),
    ),
    Operation(
        "listExports",
        "GET /storyboards/{storyboard_id}/exports",
        "Storyboards",
        "The files that were made of a storyboard",
        listed(Export),
        query=PAGE,
    ),
    Operation(
        "getExport",
        "GET /storyboards/{storyboard_id}/exports/{export_id}",
        "Storyboards",
        "One file of a storyboard",
        {200: Answer("As it stands.", Export)},
        query=(WAIT,),
    ),
)
