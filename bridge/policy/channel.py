"""Channels and documents: how a notice reaches the debtor, and whose document that is."""

from enum import StrEnum

from bridge.model import Act


class Via(StrEnum):
    """Delivery channel (Versandweg): the provider's e-mail or post service, our own mail, or our own letter outbox.

    `email` and `post` are automatic: `policy.ways` takes the provider's service where it can send what we ask for, else our own.
    The last three reach no mailbox and no letter box of the debtor: a person calls, colleagues are told, a collection agency takes over.
    """

    EMAIL = "email"
    POST = "post"
    PROVIDER_EMAIL = "provider_email"
    PROVIDER_POST = "provider_post"
    MAIL = "mail"
    LETTER = "letter"
    CALL = "call"
    INTERNAL = "internal"
    COLLECTION = "collection"

    @property
    def act(self) -> Act:
        """Return the one act that reaches the debtor; an automatic channel has none before it is resolved (`KeyError`)."""
        return _ACT_OF[self]

    @property
    def by_provider(self) -> bool:
        return self in (Via.PROVIDER_EMAIL, Via.PROVIDER_POST)

    @property
    def in_house(self) -> bool:
        """Return whether nothing is written to the debtor: it is something that people do."""
        return self in (Via.CALL, Via.INTERNAL, Via.COLLECTION)

    @property
    def automatic(self) -> bool:
        """Return whether the account and the claim decide who sends."""
        return self in (Via.EMAIL, Via.POST)

    @property
    def mailed(self) -> bool:
        """Return whether it goes to an e-mail address, not to a postal one."""
        return self in (Via.EMAIL, Via.PROVIDER_EMAIL, Via.MAIL)

    @property
    def own(self) -> "Via":
        """Return our own channel to the same address."""
        return Via.MAIL if self.mailed else Via.LETTER

    @property
    def provider(self) -> "Via":
        """Return the provider's channel to the same address."""
        return Via.PROVIDER_EMAIL if self.mailed else Via.PROVIDER_POST


IN_HOUSE = frozenset({Via.INTERNAL, Via.COLLECTION})
"""What the debtor hears nothing of; they do hear a call."""

_ACT_OF = {
    Via.PROVIDER_EMAIL: Act.SEND_EMAIL,
    Via.PROVIDER_POST: Act.SEND_POST,
    Via.MAIL: Act.MAIL,
    Via.LETTER: Act.LETTER,
}


class Document(StrEnum):
    """Whose document goes out: the provider's reminder, ours with a silent reminder record at the provider, or ours alone."""

    PROVIDER = "provider"
    SILENT = "silent"
    NONE = "none"

    @property
    def record(self) -> bool:
        """Return whether a reminder is made at the provider."""
        return self is not Document.NONE
