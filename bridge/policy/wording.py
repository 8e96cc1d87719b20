"""The words of a level (Texte): subject and body by language, for a variant, and where they go by mail or by letter."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from bridge.errors import Wrong
from bridge.model import Frozen
from bridge.policy import texts

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
TextLanguage = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
"""Language of a text, or that language as the law of the creditor's country wants it: `de`, `de-AT`, `de-CH`."""

Subject = Annotated[str, Field(min_length=1, max_length=200)]
Body = Annotated[str, Field(min_length=1, max_length=20_000)]


class _Checked(Frozen):
    """A subject and a body, checked when the plan is read: they render, and use variables that exist."""

    @field_validator("subject", "body", check_fields=False)
    @classmethod
    def _renders(cls, value: str | None) -> str | None:
        if value is not None:
            texts.check(value)
        return value

    @field_validator("subject", check_fields=False)
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and "\n" in value.strip():
            raise Wrong("a subject is one line")
        return value.strip() if value else value


class Wording(_Checked):
    """What a text says otherwise in a mail, or in a letter: another subject, another body, or both."""

    subject: Subject | None = None
    body: Body | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.subject is None and self.body is None:
            raise Wrong("write a subject, a body, or both")
        return self


class Text(_Checked):
    """Subject and body in one language; variables as in `{{ invoice_number }}`, listed in `policy.texts`."""

    subject: Subject
    body: Body
    email: Wording | None = Field(None, description="Another subject or body where it goes by mail.")
    post: Wording | None = Field(None, description="Another subject or body where it goes as a letter.")

    def by(self, *, mailed: bool) -> "Text":
        """Return the text as it goes by mail, or as a letter."""
        other = self.email if mailed else self.post
        if other is None:
            return self
        said = {"subject": other.subject or self.subject, "body": other.body or self.body}
        return self.model_copy(update={**said, "email": None, "post": None})


Texts = dict[TextLanguage, Text]


def chosen(given: Mapping[str, Text], language: str, country: str) -> Text | None:
    """Return the text in that language, for creditors of that country where there is one of its own; None: there is none."""
    return given.get(f"{language}-{country}") or given.get(language)
