"""Form of a letter: the measures of DIN 5008 in mm, and what the agency may choose."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bridge.documents import picture, typeface
from bridge.model import Frozen


class Places(Frozen):
    """Where things are, in mm from the top left corner of A4 (DIN 5008).

    `head` is the height of the letterhead; `address` the top of the address field, which is 45 high: 17.7 for the return line, 27.3 for
    the address; `info` the top of the information block; `folds` the fold marks.
    """

    head: float
    address: float
    info: float
    subject: float
    folds: tuple[float, float]


FORMS = {
    "A": Places(head=27, address=27, info=32, subject=80.46, folds=(87, 192)),
    "B": Places(head=45, address=45, info=50, subject=98.46, folds=(105, 210)),
}


class Style(Frozen):
    """What the agency's letters look like (Briefbogen). Margins in mm; address, information block and marks stay in their places."""

    form: Literal["A", "B"] = Field(
        "B", description="Form of DIN 5008: B has room for a high letterhead, A for more text."
    )
    logo: Path | None = Field(
        None, description="Picture in the letterhead (.png, .jpg or .svg); empty: the company name."
    )
    fonts: Path | None = Field(
        None,
        description="Folder with fonts (.ttf, .otf, .ttc) for writing that the built-in ones lack, such as Chinese; they are taken for that alone.",
    )
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Field(
        "#1f3a5f", description="Colour of name, table heads and lines, such as #1f3a5f."
    )
    left: float = Field(25, ge=15, le=40, description="Left margin of the text in mm.")
    right: float = Field(20, ge=10, le=40, description="Right margin of the text in mm.")
    top: float = Field(20, ge=15, le=40, description="Top margin of following pages in mm.")
    bottom: float = Field(
        20, ge=15, le=60, description="Bottom margin in mm; the company's particulars need what they need."
    )
    fold_marks: bool = Field(default=True, description="Fold and hole marks on the left edge.")

    @field_validator("logo")
    @classmethod
    def _whole(cls, value: Path | None) -> Path | None:
        if value is not None:
            picture.check(value)
        return value

    @field_validator("fonts")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None:
            typeface.check(value)
        return value
