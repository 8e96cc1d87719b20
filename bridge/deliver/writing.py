"""From a stored step to the write-back that a connector or channel is handed."""

from collections.abc import Iterable

from bridge.contract import Act, NoticeStatus, Proof, Ref, Snapshot, Unclear, WriteBack
from bridge.model import Covered
from bridge.store.records import Notice, NoticeClaim, Step

LOOKED = frozenset({Act.CREATE, Act.COMPLETE, Act.SEND_EMAIL, Act.SEND_POST, Act.MAIL, Act.LETTER})
"""Acts that are never done without a look at the provider right before."""


def claim_of(notice: Notice, step: Step) -> NoticeClaim | None:
    """Return the claim that a step is about: its own, or the only one of the notice."""
    if step.claim_id is None and len(notice.claims) == 1:
        return notice.claims[0]
    return notice.claim(step.claim_id)


def refs(claims: Iterable[NoticeClaim]) -> list[Ref]:
    """Return what to look at."""
    return [Ref.invoice(claim.invoice_id, claim.invoice_number) for claim in claims]


def expected_level(snapshot: Snapshot | None, reminder_id: str | None) -> int | None:
    """Return the level that the provider's counter must show for our reminder: highest one of the others plus one."""
    if snapshot is None:
        return None
    others = [
        notice.level
        for notice in snapshot.notices
        if notice.id != reminder_id and notice.status is not NoticeStatus.CANCELLED
    ]
    return max(others, default=0) + 1


def write_back(notice: Notice, step: Step) -> WriteBack:
    """Return the write-back of a step, with the baseline and the instant of its call if it has begun."""
    claim = claim_of(notice, step)
    own = next((taken for taken in step.baseline if claim and taken.invoice_id == claim.invoice_id), None)
    reminder_id = claim.reminder_id if claim else None
    return WriteBack(
        key=step.key,
        account=step.account,
        act=step.act,
        invoice=refs([claim])[0] if claim else None,
        debtor_id=notice.debtor_id,
        reminder_id=reminder_id,
        expected_provider_level=expected_level(own, reminder_id),
        content=step.content,
        baseline=own,
        started_at=step.acted_at,
        covers=_covers(notice, step) if step.act in (Act.MAIL, Act.LETTER) else (),
    )


def _covers(notice: Notice, step: Step) -> tuple[str, ...]:
    return tuple(
        Covered.of(step.account, one.invoice_id, round_=one.round, level=one.level, repetition=one.repetition).token
        for one in notice.claims
        if one.level
    )


def proving(write: WriteBack, proof: Proof) -> Proof:
    """Return `proof` if it is one of `write`.

    Raises `Unclear` where it names another write-back: what became of this one is not known then.
    """
    if proof.key != write.key:
        raise Unclear(
            "the answer is a proof of {key}, not of {wanted}", key=proof.key, wanted=write.key, cause="other_proof"
        )
    return proof


def found_proof(write: WriteBack, found: Proof | None) -> Proof | None:
    """Return what `find` found for `write`, as found later. Raises `Unclear` as `proving`."""
    return None if found is None else proving(write, found).model_copy(update={"found_later": True})
