"""The mails of ours that the archive mailbox holds, for a store that was restored and does not know them.

The mailbox is open for reading only, and everything in it is hostile: of each mail a bounded part of its headers is taken.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime

from bridge.channels.bounces import fetched, found_since, line
from bridge.channels.imap import ImapFolder
from bridge.channels.message import COVERS
from bridge.contract import RetryLater, Sent

MOST_MAILS = 50_000
"""Mails looked at; a mailbox with more of them since the backup is no archive of ours."""

LONGEST = 64 * 1024
_HEADERS = f"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE {COVERS.upper()})]<0.{LONGEST}>"


def archived(folder: ImapFolder, since: datetime) -> Sequence[Sent]:
    """Return the mails since that instant that say what they cover. Raises as `ImapFolder.opened`."""
    with folder.opened() as connection:
        uids = found_since(connection, (since - timedelta(days=1)).date())  # a server judges by its own day
        if len(uids) > MOST_MAILS:
            raise RetryLater(
                "IMAP {host}: {count} {count|mail|mails}", host=folder.host, count=len(uids), cause="imap_answer"
            )
        heads = [fetched(connection, uid, _HEADERS) for uid in uids]
    return [one for head in heads if (one := _sent(message_from_bytes(head))) is not None and one.at >= since]


def _sent(mail: Message) -> Sent | None:
    words = line(mail.get(COVERS), LONGEST).split()
    identity = line(mail.get("Message-ID"))
    try:
        at = parsedate_to_datetime(line(mail.get("Date")))
    except (ValueError, OverflowError):
        return None
    if len(words) < 2 or not identity:
        return None
    return Sent(identity, at if at.tzinfo else at.replace(tzinfo=UTC), tuple(words[1:]), _day(words[0]))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
