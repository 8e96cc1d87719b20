"""What happens in a history, drawn from its seed."""

from dataclasses import dataclass
from random import Random

from tests.faults.providers import BillomatProvider, SevDeskProvider

PROVIDERS = {"billomat": BillomatProvider, "sevdesk": SevDeskProvider}
WAYS = ("provider", "provider", "letter", "mail", "mail")
LEVELS = 2


@dataclass(frozen=True)
class Incident:
    """Something that happens at the `nth` request of a kind, look, mail, round ("day") or transaction ("border").

    At "each border" the process dies once before or `after` the commit of every transaction, at the `nth` time that it comes.
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

    @classmethod
    def draw(cls, seed):
        rng = Random(seed)
        provider, way = rng.choice(sorted(PROVIDERS)), rng.choice(WAYS)
        count = rng.choice((1, 1, 1, 2, 2, 3, 4))
        debtors = tuple(rng.randrange(1 + count // 2) for _ in range(count))
        amounts = tuple(f"{rng.randrange(10, 900)}.{rng.randrange(100):02d}" for _ in range(count))
        record, bundle = rng.random() < 0.7, way != "provider" and rng.random() < 0.7
        kinds = ["read", "read", "look", "look", "border", "border", "border", "day"]
        if way == "provider" or record:
            kinds += [key for key in PROVIDERS[provider].paths if key != "read"]
        if way == "mail":
            kinds += ["mail"] * 3
        incidents = tuple(_incident(rng, rng.choice(kinds), count) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))))
        return cls(
            seed, provider, way, debtors, amounts, incidents, workers=rng.choice((1, 1, 2)), levels=rng.choice((1, 1, 2, 2, 2, 3)),
            gaps=tuple(rng.choice((1, 8, 11)) for _ in range(rng.choice((1, 2, 2)))), bundle=bundle, record=record,
            approval=rng.random() < 0.25, notes=rng.random() < 0.25,
        )  # fmt: skip


FAULTS = ("cut", "429", "500", "html", "refuse", "hang", "hang_long", "die", "other", "other_late")
EVENTS = ("pay", "part", "block", "cancel", "by_hand", "local_block")


def _incident(rng, at, count):
    after, target = rng.random() < 0.5, rng.randrange(count)
    if at == "border":
        return Incident(at, rng.randrange(1, 60), "die", after)
    if at == "day":
        return Incident(at, rng.randrange(1, 4), rng.choice(EVENTS), after, target)
    if at == "read":
        what = rng.choice((*EVENTS, *EVENTS, "500", "html", "429", "cut", "hang_long", "other", "die"))
        return Incident(at, rng.randrange(1, 70), what, after, target)
    if at == "look":
        what = rng.choice((*EVENTS, "hang", "hang_long", "other", "other_late", "die"))
        return Incident(at, rng.randrange(1, 7), what, after, target)
    if at == "mail":
        what = rng.choice(("cut", "451", "550", "die", "hang_long", *EVENTS))
        return Incident(at, rng.randrange(1, 4), what, after, target)
    return Incident(at, rng.randrange(1, 4), rng.choice(FAULTS + EVENTS), after, target)
