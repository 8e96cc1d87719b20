"""What an agency writes down: escalation plans, their levels, and the words of each level.

A plan is read from YAML by `policy.load`. Everything here is checked before anything runs; what a plan may say and this version can
not do yet is refused in plain words, never ignored.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import time as clock_time
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bridge.errors import Wrong
from bridge.model import Amount, Frozen
from bridge.policy.actions import CallTaskOrNot, Copy, Enclosed, InternalNoticeOrNot, Wanted
from bridge.policy.channel import Document, Via
from bridge.policy.group import Bundling
from bridge.policy.trigger import Start, Trigger
from bridge.policy.wording import Language, Text, Texts, chosen
from bridge.words import Name

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Automation(StrEnum):
    """Degree of automation (Automatisierungsgrad): how far a level goes without a person."""

    PROPOSE = "propose"  # a person approves every notice
    CREATE = "create"  # the reminder stands as a draft at the provider
    COMPLETE = "complete"  # the reminder is final at the provider, not sent
    SEND = "send"  # it goes out


class Kind(StrEnum):
    """Whether a level is an ordinary one or the last reminder (letzte Mahnung), after which nothing automatic follows."""

    REMINDER = "reminder"
    LAST = "last"


class RecipientRule(Frozen):
    """Who gets the mail: the debtor's address by default, contacts of these roles, every stored address, fixed copies."""

    roles: tuple[str, ...] = ()
    all_addresses: bool = False
    cc: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    bcc: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    sales_rep: Copy = Field(None, description="copy to the customer's sales representative: cc or bcc")
    colleagues: Copy = Field(None, description="copy to all colleagues of the customer: cc or bcc")


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Variant(Frozen):
    """One way to deliver a level (Ausprägung). Of several, exactly one is the standard; the others are chosen by hand."""

    name: str = "standard"
    channels: Annotated[
        tuple[Via, ...],
        BeforeValidator(_one_or_many),
        Field(
            min_length=1,
            description="one or more; `email` and `post`: the provider's service where it can send exactly this, else our own mail"
            " or letter; the others: always this one",
        ),
    ]
    document: Document | None = None
    standard: bool = False
    texts: Texts = Field(
        default_factory=dict, description="words of this variant by language; where there are none, those of the level"
    )

    @field_validator("channels")
    @classmethod
    def _to_the_debtor(cls, value: tuple[Via, ...]) -> tuple[Via, ...]:
        for via in value:
            if via.in_house:
                raise Wrong(
                    "{via} is no channel to the debtor; write {key} on the level instead",
                    via=via.value,
                    key=_KEY_OF[via],
                )
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.channels)) != len(self.channels):
            raise Wrong("a channel stands here twice")
        if (
            len({(via.mailed, via.automatic) for via in self.channels}) == 2
            and len({via.mailed for via in self.channels}) == 1
        ):
            raise Wrong(
                "email and post choose the channel themselves; take out the channel of the same kind beside them"
            )
        if any(via.by_provider for via in self.channels) and self.document in (Document.SILENT, Document.NONE):
            raise Wrong(
                "a provider sends its own document only; write document: provider, or use the channels mail or letter"
            )
        return self

    @property
    def documents(self) -> Document:
        """Return whose document goes out; by default the provider's for its own and automatic channels, ours alone otherwise."""
        if self.document is not None:
            return self.document
        theirs = any(via.by_provider or via.automatic for via in self.channels)
        return Document.PROVIDER if theirs else Document.NONE


_KEY_OF = {Via.CALL: "call_task", Via.INTERNAL: "internal_notice", Via.COLLECTION: "collection"}

NOTHING_WRITTEN = Variant.model_construct(channels=(), standard=True)
"""The variant of a level that writes nothing to the debtor."""


class Repeat(Frozen):
    """Repetition of the last level: every so many days, at most so many times."""

    every_days: Annotated[int, Field(ge=1, le=365)]
    limit: Annotated[int, Field(ge=1, le=100)]


class DunningLevel(Frozen):
    """One escalation step (Mahnstufe)."""

    name: dict[Language, Annotated[str, Field(min_length=1, max_length=80)]]
    trigger: Trigger
    grace_days: Annotated[int, Field(ge=0, le=365)] = 0
    time: clock_time | None = Field(None, description="not before this local time of day, such as 09:30")
    until: clock_time | None = Field(None, description="only before this local time of day, such as 18:00")
    weekdays: tuple[Weekday, ...] | None = Field(
        None, min_length=1, description="its own sending days instead of those of the office (calendar.weekdays)"
    )
    automation: Automation = Automation.PROPOSE
    variants: tuple[Variant, ...] = ()
    term_days: Annotated[int, Field(ge=1, le=365)] = 10
    fee: Annotated[Amount, Field(ge=0, le=Decimal(1000))] = Decimal("0.00")
    interest: Wanted = Field(default=False, description="ask for default interest (Verzugszinsen)")
    flat_fee: Wanted = Field(
        default=False, description="ask businesses for the flat fee of 40 EUR (Verzugspauschale), once for each invoice"
    )
    type: Kind = Kind.REMINDER
    is_legal_dunning: bool = False
    repeat: Repeat | None = None
    recipients: RecipientRule = RecipientRule()
    attachments: tuple[Enclosed, ...] | None = Field(
        None,
        description="what goes with our own mail or letter; default: the original invoice where the provider has it",
    )
    call_task: CallTaskOrNot = Field(None, description="somebody calls the debtor, instead of a channel or besides")
    internal_notice: InternalNoticeOrNot = Field(
        None, description="colleagues are told, instead of a channel or besides"
    )
    collection: bool = Field(default=False, description="hand-over to collection; always waits for a person")
    tag: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    texts: Texts = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        """Accept one name for all languages, and `channels` on the level itself where it has a single variant."""
        if not isinstance(data, Mapping):
            return data
        values = dict(data)
        if isinstance(values.get("name"), str):
            values["name"] = dict.fromkeys((key[:2] for key in values.get("texts") or ("de",)), values["name"])
        if "channels" in values or "document" in values:
            if "variants" in values:
                raise Wrong("write either channels and document, or variants, not both")
            single = {key: values.pop(key) for key in ("channels", "document") if key in values}
            values["variants"] = [{**single, "standard": True}]
        return values

    @field_validator("time", "until", mode="before")
    @classmethod
    def _clock(cls, value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:00)?", value):
            raise Wrong("write a time of day such as 09:30")
        return value

    @model_validator(mode="after")
    def _actions(self) -> Self:
        if self.collection and (self.variants or self.call_task or self.internal_notice):
            raise Wrong(
                "collection: a hand-over stands alone; put channels, call_task and internal_notice on a level of their own"
            )
        if self.writes:
            if not self.texts:
                raise Wrong("a level needs its texts in at least one language")
            for key in self.texts:
                if key[:2] not in self.texts:
                    raise Wrong("texts: {key} is for one country only; write {other} too", key=key, other=key[:2])
            for variant in self.variants:
                missing = sorted({key[:2] for key in variant.texts} - self.texts.keys())
                if missing:
                    raise Wrong(
                        "variant {variant} has texts in {key}, the level has none; write {key} under the texts of the level too",
                        variant=variant.name,
                        key=missing[0],
                    )
            return self
        if not (self.collection or self.call_task or self.internal_notice):
            raise Wrong("a level needs channels, call_task, internal_notice or collection")
        unused = sorted(
            {"fee", "interest", "flat_fee", "is_legal_dunning", "recipients", "attachments", "tag", "texts"}
            & self.model_fields_set
        )
        if unused or self.automation in (Automation.CREATE, Automation.COMPLETE):
            raise Wrong(
                "{unused}: nothing is written to the debtor on this level; take it out, or add channels",
                unused=(unused or ["automation"])[0],
            )
        if self.collection and (self.repeat or self.type is Kind.LAST):
            raise Wrong("a hand-over to collection is neither repeated nor the last reminder; take repeat and type out")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        standards = [variant for variant in self.variants if variant.standard]
        if len(self.variants) > 1 and len(standards) != 1:
            raise Wrong("exactly one variant must carry standard: true; {standards} do", standards=len(standards))
        if len({variant.name for variant in self.variants}) != len(self.variants):
            raise Wrong("two variants have the same name")
        for variant in self.variants:
            if self.automation in (Automation.CREATE, Automation.COMPLETE) and variant.documents is Document.NONE:
                raise Wrong(
                    "automation {automation} makes a reminder at the provider; document: none has none there",
                    automation=self.automation.value,
                )
        asks = self.fee or self.interest or self.flat_fee
        if self.trigger.start is Start.BEFORE_DUE and (asks or self.repeat or self.is_legal_dunning):
            raise Wrong(
                "a notice before the due date has no fee, interest or flat fee, no repetition and is no legal dunning letter"
            )
        if self.time is not None and self.until is not None and self.until <= self.time:
            raise Wrong(
                "until {until} is not later than time {time}; nothing could ever go out",
                until=f"{self.until:%H:%M}",
                time=f"{self.time:%H:%M}",
            )
        if self.type is Kind.LAST and self.repeat:
            raise Wrong("nothing automatic follows the last reminder; take repeat or type: last out")
        return self

    @cached_property
    def standard(self) -> Variant:
        """Return the variant that automatic runs use."""
        if not self.variants:
            return NOTHING_WRITTEN
        return next((variant for variant in self.variants if variant.standard), self.variants[0])

    @property
    def writes(self) -> bool:
        """Return whether something is written to the debtor."""
        return bool(self.variants)

    @cached_property
    def reaches_debtor(self) -> bool:
        """Return whether the debtor hears of it: by a letter, a mail or a call."""
        return self.writes or self.call_task is not None

    def vias(self, variant: Variant) -> tuple[Via, ...]:
        """Return what this level does in that variant, one notice each: its channels, and what people are to do besides or instead.

        Where something is written, colleagues are told by a step of that notice.
        """
        actions = [
            (Via.CALL, self.call_task is not None),
            (Via.INTERNAL, self.internal_notice is not None and not self.writes),
            (Via.COLLECTION, self.collection),
        ]
        return variant.channels + tuple(via for via, wanted in actions if wanted)

    @cached_property
    def by_mail_alone(self) -> bool:
        """Return whether its standard variant goes by e-mail and nothing else is done: the usual case."""
        return all(via.mailed for via in self.vias(self.standard))

    def variant(self, name: str | None) -> Variant:
        """Return the variant of that name, or the standard for None; `KeyError` where there is none."""
        if name is None:
            return self.standard
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)

    @cached_property
    def weekday_numbers(self) -> frozenset[int] | None:
        """Return its own sending days, Monday is 0; None: those of the office."""
        return None if self.weekdays is None else frozenset(WEEKDAYS.index(day) for day in self.weekdays)

    @cached_property
    def before_due(self) -> bool:
        """Return whether this is a friendly notice ahead of the due date, which never goes out late."""
        return self.trigger.start is Start.BEFORE_DUE

    @cached_property
    def timing(self) -> tuple[Start, timedelta, timedelta]:
        """Return from where this level counts, the time to its trigger day, and the time to the day from which it may go out."""
        to_trigger = timedelta(days=self.trigger.days)
        to_possible = to_trigger + timedelta(days=self.grace_days) if self.grace_days else to_trigger
        return self.trigger.start, to_trigger, to_possible

    def text_in(self, language: str, country: str, variant: Variant, *, mailed: bool) -> Text:
        """Return the words in that language for creditors of that country: the variant's own, else the level's, as they go by mail or letter."""
        found = (
            chosen(variant.texts, language, country) or chosen(self.texts, language, country) or self.texts[language]
        )
        return found.by(mailed=mailed)

    def name_in(self, language: str) -> Name:
        """Return the level's name in that language, else the first one written; staff is told it in theirs."""
        return Name(self.name.get(language) or next(iter(self.name.values())), self.name)


HAND_OVER = DunningLevel.model_validate(
    {
        "name": {"de": "Übergabe an das Inkasso", "en": "Hand-over to collection"},
        "trigger": {"after_previous": 1},
        "collection": True,
    }
)
"""The hand-over that a person decides on where the plan itself ends with its last reminder."""


class EscalationPlan(Frozen):
    """Escalation plan (Eskalationsplan): its levels in order. Level numbers are their positions, from 1."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    title: dict[Language, str] = Field(default_factory=dict)
    description: dict[Language, str] = Field(
        default_factory=dict, description="one text for all languages, or one each"
    )
    language: Language = "de"
    minimum_interval_days: Annotated[int, Field(ge=0, le=365)] | None = None
    skip_levels: bool = False
    bundling: Bundling = Bundling()
    levels: Annotated[tuple[DunningLevel, ...], Field(min_length=1, max_length=100)]

    @field_validator("description", mode="before")
    @classmethod
    def _of_all(cls, value: Any) -> Any:
        return {"de": value} if isinstance(value, str) and value else value or {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for position, level in enumerate(self.levels, start=1):
            self._check_level(position, level)
        self._check_order()
        return self

    def _check_level(self, position: int, level: DunningLevel) -> None:
        final = position == len(self.levels)
        if level.writes and self.language not in level.texts:
            raise Wrong(
                "level {position} has no text in the plan's language {language!r}, to which others fall back; write texts.{language}, or another language: at the top",
                position=position,
                language=self.language,
            )
        if level.repeat and not final:
            raise Wrong("level {position}: only the last level of a plan can repeat", position=position)
        if level.collection and (position == 1 or not final):
            raise Wrong(
                "level {position}: a hand-over to collection is the last level and follows a reminder",
                position=position,
            )
        if level.type is Kind.LAST and not final and not self.levels[position].collection:
            raise Wrong(
                "level {position} is the last reminder, but level {after} follows it; take type: last out, or what follows",
                position=position,
                after=position + 1,
            )
        if position == 1 and level.trigger.start is Start.AFTER_PREVIOUS:
            raise Wrong("level 1 has no previous one to count from; use after_due")
        if self.bundling.when != "never" and any(via.by_provider for via in level.standard.channels):
            at_last = self.bundling.when == "from_last"
            if not at_last or level.type is Kind.LAST:
                raise Wrong(
                    "level {position}: a reminder at a provider belongs to one invoice; a bundle needs mail or letter",
                    position=position,
                )
        if level.before_due and any(one.trigger.start is not Start.BEFORE_DUE for one in self.levels[: position - 1]):
            raise Wrong(
                "level {position} lies before the due date, but an earlier level does not; move it up",
                position=position,
            )

    def _check_order(self) -> None:
        """Refuse levels counted from the same day that overlap: the later one must lie later."""
        last: dict[Start, tuple[int, int]] = {}
        for position, level in enumerate(self.levels, start=1):
            start = level.trigger.start
            if start is Start.AFTER_PREVIOUS:
                continue
            day = -level.trigger.days if start is Start.BEFORE_DUE else level.trigger.days + level.grace_days
            if start in last and day <= last[start][1]:
                before, day_before = last[start]
                least = -day_before - 1 if start is Start.BEFORE_DUE else day_before + 1 - level.grace_days
                raise Wrong(
                    "level {position} ({start} day {day}) is not later than level {before} (day {day_before}); write {right}",
                    position=position,
                    start=start,
                    day=day,
                    before=before,
                    day_before=day_before,
                    right=f"{start.value}: {least}" if least > 0 else f"{Start.AFTER_DUE.value}: 1",
                )
            last[start] = (position, day)

    @cached_property
    def version(self) -> str:
        """Return a short fingerprint of the whole plan; it changes with every edit."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @cached_property
    def provider_positions(self) -> tuple[int, ...]:
        """Return the positions that a provider's reminder counter stands for: all but those before the due date."""
        return tuple(position for position, level in enumerate(self.levels, start=1) if not level.before_due)

    def position_of_provider_level(self, level: int) -> int:
        """Return the position which a provider's reminder of that level stands for, at most the plan's last."""
        if level <= 0 or not self.provider_positions:
            return 0
        return self.provider_positions[min(level, len(self.provider_positions)) - 1]

    def described(self, language: str) -> str:
        """Return the description in that language, else the first one written."""
        return self.description.get(language) or next(iter(self.description.values()), "")

    @property
    def hand_over_at(self) -> int:
        """Return the position of the hand-over to collection: the plan's own last level, or behind it the one that people decide on."""
        return len(self.levels) if self.levels[-1].collection else len(self.levels) + 1

    def level(self, position: int) -> DunningLevel:
        """Return the level at that position (from 1); `IndexError` where the plan has none."""
        if position == len(self.levels) + 1 == self.hand_over_at:
            return HAND_OVER
        if not 1 <= position <= len(self.levels):
            msg = f"plan {self.name} has no level {position}"
            raise IndexError(msg)
        return self.levels[position - 1]
