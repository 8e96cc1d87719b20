"""What happens in a history, drawn from its seed."""

from dataclasses import dataclass
from datetime import date
from random import Random

from tests.faults.borders import USUAL
from tests.faults.files import FilesProvider
from tests.faults.providers import BillomatProvider, SevDeskProvider

PROVIDERS = {"billomat": BillomatProvider, "generic_csv": FilesProvider, "sevdesk": SevDeskProvider}
WAYS = ("provider", "provider", "letter", "mail", "mail")
OWN = ("letter", "mail", "mail")
LEVELS = 2
BEGINNINGS = (date(2026, 3, 2), date(2026, 3, 30), date(2026, 4, 27), date(2026, 12, 14))
"""Mondays: an ordinary one, before Easter, before the first of May, before Christmas."""


@dataclass(frozen=True)
class Incident:
    """Something that happens at the `nth` request of a kind, look, mail, round ("day"), approval, or transaction ("border", "begin").

    At "each border" the process dies once before or `after` the commit of every transaction, at the `nth` time that it comes; at the name
    of a border it dies at the `nth` time that this one comes; at "rare" at the first border that seldom comes.
    """

    at: object
    nth: int
    what: str
    after: bool = False
    target: int = 0


@dataclass(frozen=True)
class History:
    """Everything that a run needs to be repeated."""

    seed: int
    provider: str
    way: str
    debtors: tuple[int, ...]  # of each invoice
    amounts: tuple[str, ...]
    incidents: tuple[Incident, ...] = ()
    workers: int = 1
    levels: int = LEVELS
    gaps: tuple[int, ...] = (11,)  # days after each round
    bundle: bool = False  # one notice for all of a debtor's invoices
    record: bool = True  # our own mail or letter leaves a silent reminder at the provider
    approval: bool = False  # a person approves every notice
    notes: bool = False  # a line or tag is left on the invoice afterwards
    helped: bool = False  # in the end a person settles what was parked, by what the ledgers say
    begins: date = BEGINNINGS[0]

    @classmethod
    def draw(cls, seed, *, short=False):
        """Return the history of a seed; a `short` one has an invoice or two, one level and one day before all is calm."""
        rng = Random(seed)
        provider = rng.choice(sorted(PROVIDERS))
        way = rng.choice(OWN if provider == "generic_csv" else WAYS)
        count = rng.choice((1, 1, 1, 1, 1, 1, 2, 2, 3, 5))
        count = min(count, 2) if short else count
        debtors = tuple(rng.randrange(1 + count // 2) for _ in range(count))
        amounts = tuple(f"{rng.randrange(10, 900)}.{rng.randrange(100):02d}" for _ in range(count))
        record = provider != "generic_csv" and rng.random() < 0.7
        bundle = way != "provider" and rng.random() < 0.7
        kinds = ["read", "read", "look", "look", "border", "begin", "day", "day", "approval"]
        kinds += [key for key in PROVIDERS[provider].paths if key != "read"] * (2 if way == "provider" else record)
        kinds = [one for one in kinds if one != "read" or provider != "generic_csv"]
        if way == "mail":
            kinds += ["mail"] * 3
        incidents = tuple(_incident(rng, rng.choice(kinds), count) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))))
        kills = _kills(seed, rng) + _strange(seed, provider, way, count)
        workers, levels = rng.choice((1, 1, 1, 2, 3)), rng.choice((1, 1, 1, 1, 2, 2, 3))
        gaps = tuple(rng.choice((1, 4, 8, 11)) for _ in range(rng.choice((1, 1, 1, 2))))
        return cls(
            seed, provider, way, debtors, amounts, incidents + kills, workers=workers, levels=1 if short else levels,
            gaps=(1,) if short else gaps, bundle=bundle, record=record, approval=rng.random() < 0.25, notes=rng.random() < 0.25,
            helped=rng.random() < 0.5, begins=rng.choice(BEGINNINGS),
        )  # fmt: skip


CHOSEN = "von.hand@kunde.example"
"""Address to which a person lets a customer's mails go."""
EVENTS = (
    "pay",
    "part",
    "block",
    "cancel",
    "by_hand",
    "local_block",
    "defer",
    "credit",
    "debit",
    "give_back",
    "pay_back",
    "add",
)
"""What people do, at the provider and here."""
AT_REST = ("replan", "restart", "revoke", "refuse", "off")
"""What happens between two works of a process alone."""
MACHINE = ("jump_on", "jump_back", "full", "gone")
FAULTS = (
    "cut", "429", "429_bare", "500", "html", "truncate", "reset", "hang", "hang_long", "late", "lag", "401", "die", "other", "other_late",
    *MACHINE[:3],
)  # fmt: skip


def _kills(seed, rng):
    """Return at which borders the process dies: each has its turn, and those that seldom come kill wherever they come."""
    found = []
    if seed % 2:
        found.append(Incident(USUAL[seed // 2 % len(USUAL)], rng.choice((1, 1, 2, 3)), "die", rng.random() < 0.5))
    if rng.random() < 0.7:
        found.append(Incident("rare", rng.choice((1, 1, 2)), "die", rng.random() < 0.5))
    return tuple(found)


def _strange(seed, provider, way, count):
    """Return what one history in four has besides: what hangs between look and hand-over, other addresses, somebody at our draft."""
    rng = Random(f"strange {seed}")
    if rng.random() < 0.75:
        return ()
    after, target, nth = rng.random() < 0.5, rng.randrange(count), rng.randrange(1, 7)
    what = rng.choice(("stall", "move", "readdress", "meddle", "404"))
    if what == "stall" and way != "provider":
        return (Incident("app.filing.keep", (nth + 1) // 2, rng.choice(("hang_long", "other_late")), after=True),)
    if what == "404" and provider != "generic_csv":
        return (Incident("read", 10 * nth, "404", False),)
    if what in ("stall", "meddle", "404"):
        return (Incident("look", nth, "meddle", after, target),)
    at = rng.choice(("look", "look", "day", "approval"))
    return (Incident(at, nth if at == "look" else (nth + 2) // 3, what, after, target),)


def _incident(rng, at, count):
    after, target = rng.random() < 0.5, rng.randrange(count)

    def made(nth, *whats):
        number, what = rng.randrange(1, nth + 1), rng.choice(whats)
        return Incident(
            at, number, what, after and what != "401", target
        )  # 401: nothing was applied, RFC 9110 section 15.5.2

    if at == "border":
        return made(60, "die", "gone", "full", "pay", "part", "cancel", "credit", "give_back", "jump_on", "jump_back")
    if at == "begin":
        return made(60, "busy", "busy_long")
    if at == "day":
        return made(3, *EVENTS, *AT_REST, *AT_REST, *MACHINE[:3])
    if at == "approval":
        return made(2, *EVENTS)
    if at == "read":
        return made(
            60,
            *EVENTS,
            "500",
            "html",
            "429",
            "429_bare",
            "401",
            "truncate",
            "cut",
            "hang_long",
            "other",
            "other_run",
            "die",
            "full",
        )
    if at == "look":
        return made(6, *EVENTS, "hang", "hang_long", "other", "other_late", "die", *MACHINE[:3])
    if at == "mail":
        return made(3, "cut", "451", "550", "die", "hang_long", "late", "other_late", *EVENTS, *MACHINE[:3])
    return made(3, *FAULTS, *EVENTS)
