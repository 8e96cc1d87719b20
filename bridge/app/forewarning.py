"""Forewarning (Vorankündigung): the agency reads in the afternoon what will go out on the next day, and can hold single notices."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from bridge.app.foresight import Ahead
from bridge.app.opening import PAUSE
from bridge.app.planning import Planning
from bridge.contract import Act, Content, Recipients, WriteBack
from bridge.errors import ConfigError
from bridge.policy import texts
from bridge.policy.calendar import DAY
from bridge.words import NOTHING, Sentence, tell

_SENT_FOR = "forewarned_for"


@dataclass(frozen=True, slots=True)
class Forewarned:
    """What goes out on `on`, assuming no payment until then, and to whom that was mailed (nobody: nothing was sent)."""

    on: date
    notices: tuple[Ahead, ...]
    subject: str
    text: str
    sent_to: tuple[str, ...] = ()
    not_sent: Sentence = NOTHING  # why a forewarning that was asked for was not mailed


class Forewarning(Planning):
    """What goes out tomorrow."""

    def forewarning(self) -> Forewarned:
        """Return what goes out on the next day of sending, with Friday looking ahead to Monday; nothing is sent."""
        today = self.today()
        days = [one.office.sending_day(today + DAY, None, one.calendar) for one in self.rules.values()]
        on = min(days, default=today + DAY)
        notices = tuple(one for one in self.forecast(days=(on - today).days).notices if one.on == on)
        subject, text = _told(on, notices, self.language)
        return Forewarned(on, notices, subject, text)

    def forewarn(self) -> Forewarned:
        """Mail the forewarning to `forewarning.to`, once for each day and only where something goes out.

        It is in the language of the configuration, whoever has it sent: who reads it is not who is at the door.
        Raises `ConfigError` where nobody is named or there is no mail server of our own, else as `Channel.push`.
        """
        to = self.config.forewarning.to
        if not to:
            raise ConfigError("forewarning.to names nobody", cause="forewarning")
        channel = self.channels.get("smtp")
        if channel is None:
            raise ConfigError("forewarning needs a mail server of our own: channels.smtp", cause="forewarning")
        found, language = self.forewarning(), self.config.language.value
        subject, text = _told(found.on, found.notices, language)
        with self.store.reading() as conn:
            done = self.store.settings.get(conn, _SENT_FOR) == found.on.isoformat()
            silent = not self.sending(conn) or bool(self.store.settings.get(conn, PAUSE))
        if not found.notices:
            return replace(found, not_sent=Sentence("no mail: nothing goes out on that day"))
        if silent:
            return replace(found, not_sent=Sentence("no mail: sending is off or paused, so nothing goes out"))
        if done:
            return replace(found, not_sent=Sentence("no mail: it was sent for that day already"))
        content = Content(
            language=language,
            subject=subject,
            text=text,
            recipients=Recipients(to=to),
            total=Decimal("0.00"),
        )
        write = WriteBack(key=f"forewarning/{found.on.isoformat()}", account="", act=Act.TELL, content=content)
        channel.push(write)
        with self.store.begin() as conn:
            self.store.settings.set(conn, _SENT_FOR, found.on.isoformat(), self.stamp())
        return Forewarned(found.on, found.notices, subject, text, to)


def _told(on: date, notices: tuple[Ahead, ...], language: str) -> tuple[str, str]:
    german = language == "de"
    day = texts.day(on, language)
    if german:
        subject = (
            f"Am {day} gehen {len(notices)} Mahnungen hinaus"
            if len(notices) != 1
            else f"Am {day} geht eine Mahnung hinaus"
        )
        head = "Angenommen, bis dahin wird nichts bezahlt und alles Vorgeschlagene freigegeben:"
        tail = [
            "Einzelne anhalten: mahnbridge case defer KUNDE oder mahnbridge case block KUNDE",
            "Alles anhalten: mahnbridge pause",
        ]
    else:
        subject = (
            f"{len(notices)} reminders go out on {day}" if len(notices) != 1 else f"One reminder goes out on {day}"
        )
        head = "Assuming that nothing is paid until then and every proposal is approved:"
        tail = [
            "Hold single ones: mahnbridge case defer CUSTOMER or mahnbridge case block CUSTOMER",
            "Hold all: mahnbridge pause",
        ]
    lines = [
        f"- {one.customer} ({one.customer_number or one.account}): {tell(one.level_name, language)}, {', '.join(one.invoices)},"
        f" {texts.money(int(one.total.scaleb(2)), one.currency, language)}"
        for one in notices
    ]
    return subject, "\n".join([head, "", *lines, "", *tail])
