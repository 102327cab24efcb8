"""What callers may send to have a board exported."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from storyhook.domain.export import OPTIONS, ExportOptions, Format
from storyhook.http.fields import Body

# It becomes the name of a folder.
Folder = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class ExportBody(Body):
    format: Format
    notes: StrictBool = True
    page: Literal["a4", "letter"] = "a4"
    method: Folder = "storyhook"
    mode: Folder | None = None
    language: Literal["en", "ch"] = "en"
    story: Annotated[str, Field(pattern=r"^[0-9]{1,3}$")] | None = None

    @model_validator(mode="after")
    def _options_of_the_format(self) -> "ExportBody":
        taken = OPTIONS.get(self.format, ())
        for name in sorted(self.model_fields_set - {"format", *taken}):
            takes = f"takes {', '.join(taken)}" if taken else "takes no options"
            raise ValueError(f"{self.format.value} {takes}; leave {name} out")
        return self

    def to_options(self) -> ExportOptions:
        return ExportOptions(**self.model_dump(exclude={"format"}))
