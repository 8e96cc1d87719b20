"""The company in whose name reminders go out, checked when the configuration is read."""

from typing import Any

from pydantic import EmailStr, Field, field_validator
from stdnum import bic as bic_check
from stdnum import iban as iban_check

from bridge.errors import Wrong
from bridge.model import Address, Frozen


class Creditor(Frozen):
    """Creditor (Gläubiger): the company in whose name reminders go out; printed on letters and mails.

    All accounts of an installation are this company's; another company has an installation of its own.
    """

    name: str = Field("", description="Company name as printed on letters.")
    lines: tuple[str, ...] = Field((), description="Additions above the street, such as a department.")
    street: str = Field("", description="Street and house number.")
    postcode: str = Field("", description="Postal code.")
    city: str = Field("", description="Town.")
    country: str = Field("DE", pattern=r"^[A-Z]{2}$", description="Country code, two letters (ISO 3166-1).")
    email: EmailStr | None = Field(None, description="Address for questions of debtors.")
    phone: str = Field("", description="Telephone number for questions of debtors.")
    website: str = Field("", description="Web site.")
    contact: str = Field("", description="Person or team that answers questions about reminders.")
    iban: str | None = Field(None, description="Bank account that debtors pay to (IBAN, checked).")
    bic: str | None = Field(None, description="BIC of that bank; optional inside SEPA.")
    bank: str = Field("", description="Name of that bank.")
    account_holder: str = Field("", description="Holder of the bank account, where it is not the company name.")
    creditor_id: str = Field("", description="SEPA creditor identifier (Gläubiger-ID).")
    vat_id: str = Field("", description="VAT identification number (USt-IdNr.).")
    tax_number: str = Field("", description="Tax number (Steuernummer).")
    register_entry: str = Field("", description="Commercial register: court and number.")
    legal_form: str = Field("", description="Legal form (Rechtsform), as a collection agency asks for it: GmbH.")
    deducts_vat: bool | None = Field(
        None,
        description="Entitled to deduct input tax (vorsteuerabzugsberechtigt); a collection agency must tell debtors.",
    )
    managers: tuple[str, ...] = Field((), description="Managing directors, as company letters must name them.")

    @field_validator("*")
    @classmethod
    def _printable(cls, value: Any) -> Any:
        for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            bad = next((sign for sign in text if not sign.isprintable() and sign != "\u00a0"), None)
            if bad is not None:
                raise Wrong(
                    "contains the character {char}, which cannot be printed; write one plain line",
                    char=f"U+{ord(bad):04X}",
                )
        return value

    @field_validator("iban")
    @classmethod
    def _iban(cls, value: str | None) -> str | None:
        if value is not None and not iban_check.is_valid(value):
            raise Wrong("is no valid IBAN (check the digits)")
        return iban_check.compact(value) if value else None

    @field_validator("bic")
    @classmethod
    def _bic(cls, value: str | None) -> str | None:
        if value is not None and not bic_check.is_valid(value):
            raise Wrong("is no valid BIC (8 or 11 characters)")
        return bic_check.compact(value) if value else None

    @property
    def address(self) -> Address:
        """Return the postal address as it stands in the sender line."""
        lines = (self.name, *self.lines)
        return Address(lines=lines, street=self.street, postcode=self.postcode, city=self.city, country=self.country)
