"""Who of ours looks after whom, which files go with mails, and how claims are handed to a collection agency."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import EmailStr, Field, ValidationInfo, field_validator, model_validator

from bridge.config.problems import suggestion
from bridge.documents.handover import COLUMNS, FIELDS
from bridge.errors import Wrong
from bridge.model import Frozen
from bridge.words import Sentence

LARGEST_FILE = 5_000_000
"""Bytes of one attached file; what is larger, many mail servers refuse."""

KINDS = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""How a file of each allowed type begins."""


class Caretaker(Frozen):
    """Colleague (Kundenbetreuung): one of our own people, and whose customers they look after."""

    email: EmailStr = Field(description="Address of the colleague.")
    name: str = Field("", max_length=100, description="Name of the colleague.")
    sales_rep: bool = Field(default=False, description="The account owner (sales representative) of these customers.")
    customers: tuple[str, ...] = Field((), description="Only these customers: number, or the provider's id.")
    tags: tuple[str, ...] = Field((), description="Only customers with one of these tags.")
    accounts: tuple[str, ...] = Field((), description="Only these accounts.")


class AttachedFile(Frozen):
    """A file that levels may attach (`attachments`), such as the terms: PDF, PNG or JPEG, checked when it is read."""

    path: Path = Field(description="The file, relative to this one.")
    filename: str = Field("", pattern=r"^[^/\\\x00-\x1f]{0,100}$", description="Name in the mail; default: the file's.")

    @model_validator(mode="after")
    def _is_there(self) -> Self:
        self.content()
        return self

    def content(self) -> tuple[bytes, str]:
        """Return bytes and type of the file. Raises `ValueError` where it is missing, empty, too large or of another type."""
        try:
            size = self.path.stat().st_size
            data = self.path.read_bytes() if 0 < size <= LARGEST_FILE else b""
        except OSError as error:
            raise Wrong(
                "the file {path} cannot be read: {strerror}", path=self.path, strerror=error.strerror
            ) from error
        if not data:
            raise Wrong(
                "the file {path} has {size} bytes; it needs at least one and at most {largest_file}",
                path=self.path,
                size=size,
                largest_file=LARGEST_FILE,
            )
        for head, mimetype in KINDS.items():
            if data.startswith(head):
                return data, mimetype
        raise Wrong("the file {path} is neither PDF nor PNG nor JPEG", path=self.path)


class CollectionExport(Frozen):
    """Collection (Inkasso): the agency, and what the list that it gets looks like."""

    agency: str = Field("", max_length=200, description="Name of the collection agency.")
    client_number: str = Field("", max_length=60, description="Our number there (Mandantennummer).")
    subject: str = Field(
        "",
        max_length=200,
        description="What our claims are for, as debtors are told: services of an agency; default: invoice.",
    )
    obligation_fulfilled: bool | None = Field(
        None, description="Our services are rendered before invoices go out; asked by agencies, empty where not stated."
    )
    higher_rate_reason: str = Field(
        "", max_length=300, description="Why more than the statutory interest is asked for; needed with claims.points."
    )
    route: Literal["extrajudicial", "judicial"] = Field(
        "extrajudicial", description="How the agency begins: out of court, or with a court payment order."
    )
    folder: Path | None = Field(None, description="Where hand-overs are written; default: collection inside data.")
    columns: dict[Annotated[str, Field(min_length=1, max_length=60)], str] = Field(
        default_factory=lambda: dict(COLUMNS), description="Columns of the CSV: title and field, in this order."
    )
    delimiter: Literal[";", ",", "|", "\t"] = Field(";", description="Between the cells: ; , | or a tabulator.")
    encoding: Literal["utf-8", "utf-8-sig", "cp1252"] = Field(
        "utf-8-sig", description="Encoding of the CSV; utf-8-sig opens rightly in spreadsheets."
    )
    decimal: Literal[",", "."] = Field(",", description="Decimal mark of amounts.")
    dates: Literal["dd.mm.yyyy", "yyyy-mm-dd"] = Field("dd.mm.yyyy", description="How dates are written.")
    documents: bool = Field(default=True, description="Add the invoices as PDFs, as far as the provider has them.")

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, value: dict[str, str]) -> dict[str, str]:
        if not value:
            raise Wrong("needs at least one column")
        for name in value.values():
            if name not in FIELDS:
                hint = suggestion(name, list(FIELDS))
                raise Wrong(
                    "there is no field {name!r}{hint}; there are {fields}",
                    name=name,
                    hint=Sentence(" ({hint})", hint=hint) if hint else "",
                    fields=list(FIELDS),
                )
        return value

    @field_validator("encoding")
    @classmethod
    def _writes_the_titles(cls, value: str, info: ValidationInfo) -> str:
        for title in info.data.get("columns", ()):
            try:
                title.encode(value)
            except UnicodeEncodeError as error:
                raise Wrong(
                    "the title {title!r} of a column cannot be written in it; utf-8 can", title=title
                ) from error
        return value
