"""What happens in a history, drawn from its seed."""

from dataclasses import dataclass
from random import Random

from tests.faults.providers import BillomatProvider, SevDeskProvider

PROVIDERS = {"billomat": BillomatProvider, "sevdesk": SevDeskProvider}
WAYS = ("provider", "provider", "letter", "mail")
LEVELS = 2


@dataclass(frozen=True)
class Incident:
    """Something that happens at the `nth` request of a kind, or at the `nth` transaction (`at` is "begin")."""

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

    @classmethod
    def draw(cls, seed):
        rng = Random(seed)
        provider, way = rng.choice(sorted(PROVIDERS)), rng.choice(WAYS)
        count = rng.choice((1, 1, 2, 2, 3, 5))
        debtors = tuple(rng.randrange(1 + count // 2) for _ in range(count))
        amounts = tuple(f"{rng.randrange(10, 900)}.{rng.randrange(100):02d}" for _ in range(count))
        kinds = [key for key in PROVIDERS[provider].paths if key != "read"] + ["read", "look", "look", "begin", "begin"]
        if way == "mail":
            kinds = ["mail", "mail", "read", "look", "begin"]
        incidents = tuple(_incident(rng, rng.choice(kinds), count) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))))
        return cls(seed, provider, way, debtors, amounts, incidents, rng.choice((1, 1, 2)))


FAULTS = ("cut", "429", "500", "html", "refuse", "hang", "hang_long", "die", "other", "other_late")
EVENTS = ("pay", "part", "block", "cancel", "by_hand", "local_block")


def _incident(rng, at, count):
    after, target = rng.random() < 0.5, rng.randrange(count)
    if at == "begin":
        return Incident(at, rng.randrange(1, 60), "die", after)
    if at == "read":
        what = rng.choice((*EVENTS, *EVENTS, "500", "html", "hang_long", "other", "die"))
        return Incident(at, rng.randrange(1, 60), what, after, target)
    if at == "look":
        return Incident(
            at,
            rng.randrange(1, 8),
            rng.choice((*EVENTS, "hang", "hang_long", "other", "other_late", "die")),
            after,
            target,
        )
    if at == "mail":
        what = rng.choice(("cut", "451", "550", "die", "hang_long", *EVENTS))
        return Incident(at, rng.randrange(1, 4), what, after, target)
    return Incident(at, rng.randrange(1, 4), rng.choice(FAULTS + EVENTS), after, target)
