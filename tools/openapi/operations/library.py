"""Characters, locations and props; pictures that are uploaded or made for them."""

from storyhook.domain import errors
from storyhook.http.character_bodies import (
    CharacterBody,
    CharacterChangeBody,
    ReferenceBody,
    SheetBody,
    UploadBody,
)
from tools.openapi.answers.library import (
    ChangedCharacter,
    Character,
    Sheet,
    SheetEstimate,
    Stale,
    Upload,
)
from tools.openapi.operation import REPLAYED, Answer, Operation
from tools.openapi.operations.shared import CREATED, FETCHING, LIMITS, PLANNING, listed
from tools.openapi.parameters import DRY_RUN, KIND, PAGE, VERSION

CHARACTER = dict.fromkeys(
    ("getCharacter", "listVersions", "listStale", "changeCharacter", "addReference", "makeSheet"),
    "character_id",
)
_ONE = "/characters/{character_id}"
_CHANGED = {
    200: Answer("The newest version: the next one, if that changed something.", ChangedCharacter)
}

OPERATIONS = (
    Operation(
        "createCharacter",
        "POST /characters",
        "Characters",
        "Create a character, location or prop, or its next version",
        {
            201: Answer("A new one.", ChangedCharacter, headers=CREATED, links=CHARACTER),
            200: Answer(
                "The next version of one that there was.",
                ChangedCharacter,
                headers=(REPLAYED,),
                links=CHARACTER,
            ),
        },
        "Its reference images are fetched, checked and copied before this answers. References of "
        "the version before are replaced. `reference_image_url` is a short form of one reference.",
        body=CharacterBody,
        refusals=FETCHING,
        once=True,
    ),
    Operation(
        "listCharacters",
        "GET /characters",
        "Characters",
        "List characters, locations and props",
        listed(Character),
        "With `kind` a page may be short or empty while `next_cursor` goes on.",
        query=(*PAGE, KIND),
    ),
    Operation(
        "getCharacter",
        f"GET {_ONE}",
        "Characters",
        "One character, with its references",
        {200: Answer("The newest version, or the one asked for.", Character)},
        query=(VERSION,),
    ),
    Operation(
        "changeCharacter",
        f"PATCH {_ONE}",
        "Characters",
        "Change some fields of a character",
        _CHANGED,
        "What is not named stays. With `version`, only if that is still the newest.",
        body=CharacterChangeBody,
        refusals=(errors.CharacterChanged,),
    ),
    Operation(
        "deleteCharacter",
        f"DELETE {_ONE}",
        "Characters",
        "Delete a character",
        {204: Answer("It is gone; its versions are still shown.", content_types=())},
        "Refused while a board that needs it runs.",
        refusals=(errors.CharacterInUse, errors.CharacterChanged),
    ),
    Operation(
        "listVersions",
        f"GET {_ONE}/versions",
        "Characters",
        "Every version of a character",
        listed(Character),
        query=PAGE,
    ),
    Operation(
        "listStale",
        f"GET {_ONE}/stale",
        "Characters",
        "Scenes that show an older version of a character",
        {200: Answer("By board, the newest first, with the price of each made anew.", Stale)},
        query=PAGE,
    ),
    Operation(
        "addReference",
        f"POST {_ONE}/references",
        "Characters",
        "Add a reference image to a character",
        {
            201: Answer("The next version.", ChangedCharacter, headers=CREATED),
            200: Answer("It was there already.", ChangedCharacter, headers=(REPLAYED,)),
        },
        "Give one of `url`, `upload` and `prediction`. `role` and `angle` of a sheet's prediction "
        "are what the sheet wanted, unless told.",
        body=ReferenceBody,
        refusals=FETCHING,
        once=True,
    ),
    Operation(
        "removeReference",
        f"DELETE {_ONE}/references/{{reference_id}}",
        "Characters",
        "Take a reference image away from a character",
        _CHANGED,
        refusals=(errors.CharacterChanged,),
    ),
    Operation(
        "makeSheet",
        f"POST {_ONE}/sheet",
        "Characters",
        "Make pictures of the angles that a character lacks",
        {
            202: Answer("Accepted: a prediction for each.", Sheet, headers=(REPLAYED,)),
            200: Answer("The plan, of a dry run.", SheetEstimate),
        },
        "What comes of it becomes a reference when you say so: `POST …/references` with the "
        "prediction's id.",
        body=SheetBody,
        body_required=False,
        query=(DRY_RUN,),
        refusals=(*PLANNING, *LIMITS),
        once=True,
    ),
    Operation(
        "createUpload",
        "POST /uploads",
        "Characters",
        "A form to upload a picture of your own with",
        {201: Answer("Good for an hour, for one file.", Upload, headers=(REPLAYED,))},
        "The file stays for a day, and is checked when a reference is made of it.",
        body=UploadBody,
        once=True,
    ),
)
