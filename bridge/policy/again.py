"""Once more (erneut zustellen): a level whose notice came back goes out again, by mail or letter of ours, and counts as that same level."""

from bridge.policy.channel import Document, Via
from bridge.policy.plan import Automation, DunningLevel, Variant
from bridge.policy.views import ClaimView, Decision


def again(level: DunningLevel, via: Via) -> DunningLevel:
    """Return the level as it goes out once more: by this channel alone, our own document, as a proposal.

    What came with it the first time (a call, word to colleagues, the record at the provider) stands, and is not done twice.
    """
    only = Variant(channels=(via,), document=Document.NONE, texts=level.standard.texts)
    once = {"call_task": None, "internal_notice": None, "tag": None}
    return level.model_copy(update={"variants": (only,), "automation": Automation.PROPOSE, **once})


def sent_again(claim: ClaimView, decision: Decision) -> Via | None:
    """Return the channel by which this decision sends a level once more that came back, or None where it does not."""
    if claim.resend is None or not claim.undelivered or decision.level != claim.level:
        return None
    return Via(claim.resend)
