"""Which boards use which characters: a row beside the character, written with the board.

Apart from `characters`: most functions touch boards, and few the library.
"""

from storyhook.aws.codec import INTEGER, Item, Mapper
from storyhook.aws.table import key
from storyhook.domain.storyboard import Use

KIND = "CHAR"
PREFIX = "SB#"

MAPPER = Mapper(Use, {"version": INTEGER})


def character_pk(tenant: str, character_id: str) -> str:
    return f"{KIND}#{tenant}#{character_id}"


def use_item(use: Use) -> Item:
    place = key(character_pk(use.tenant, use.character_id), f"{PREFIX}{use.storyboard_id}")
    return {**place, **MAPPER.to_item(use)}
