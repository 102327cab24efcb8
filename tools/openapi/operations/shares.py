"""Shared links to storyboards."""

from storyhook.http.shares import ShareBody
from tools.openapi.answers.shares import NewShare, Share
from tools.openapi.operation import REPLAYED, Answer, Operation
from tools.openapi.operations.shared import listed
from tools.openapi.parameters import PAGE

OPERATIONS = (
    Operation(
        "shareStoryboard",
        "POST /storyboards/{storyboard_id}/share",
        "Storyboards",
        "Make a link to a page of a storyboard",
        {201: Answer("Its secret is shown this once.", NewShare, headers=(REPLAYED,))},
        "Whoever has it may read the board, its events and its predictions, and nothing else, "
        "until it expires or is revoked.",
        body=ShareBody,
        body_required=False,
        once=True,
    ),
    Operation(
        "listShares",
        "GET /storyboards/{storyboard_id}/shares",
        "Storyboards",
        "The links to a storyboard",
        listed(Share),
        "Those that have expired go after a while.",
        query=PAGE,
    ),
    Operation(
        "revokeShare",
        "DELETE /storyboards/{storyboard_id}/shares/{share_id}",
        "Storyboards",
        "Revoke a link to a storyboard",
        {204: Answer("It works no more, within a minute.", content_types=())},
        "Pictures that were loaded by it can be loaded for an hour.",
    ),
)
