"""What staff may do with parked deliveries, records that did not fit and failed runs: see, try again, discard.

Everything is journalled with actor and reason, and harmless to repeat: what is no longer stopped is left as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from bridge.contract import BridgeError, CannotTell, ConfigError, Proof, Ref, RetryLater
from bridge.deliver import AccountPort, Desk, Landing, found_proof, write_back
from bridge.errors import UsageError, WrongState
from bridge.replay.stopped import Again as Again
from bridge.replay.stopped import Earlier as Earlier
from bridge.replay.stopped import FailedRun as FailedRun
from bridge.replay.stopped import Failure as Failure
from bridge.replay.stopped import Group as Group
from bridge.replay.stopped import Kind as Kind
from bridge.replay.stopped import Plan as Plan
from bridge.replay.stopped import Preview as Preview
from bridge.replay.stopped import of_reject, of_run
from bridge.replay.stopped import parse_id as parse_id
from bridge.store.records import Notice, Step
from bridge.store.rejects import KnownReject
from bridge.store.steps import Proved
from bridge.words import Sentence, quoted

_IT_IS = {
    "sending": Sentence("it is under way"),
    "done": Sentence("it is done"),
    "dropped": Sentence("it was dropped"),
    "discarded": Sentence("it was discarded"),
    "queued": Sentence("it is queued already"),
    "waiting": Sentence("its turn has not come yet"),
    "unclear": Sentence("its outcome is still unclear"),
    "resolved": Sentence("it arrived well meanwhile"),
}
"""What is said of an item that is not stopped, by its state."""


_GOES_ON = Sentence(
    "it is tried again by itself; to keep it from going out, block the invoice (`mahnbridge case block`)"
)
"""What is said to somebody who wants to discard what waits: it is stopped by what stops any other call, right before it."""


class Replay:
    """Failures of all accounts, for people."""

    def __init__(self, desk: Desk, accounts: Mapping[str, AccountPort], again: Again | None = None) -> None:
        self._desk, self._accounts, self._again = desk, accounts, again or Again()
        self._store = desk.store

    # --------------------------------------------------------------------------------------------------------- seeing

    def failures(self, account: str | None = None) -> list[Failure]:
        """Return everything that is stopped, of one account or all: deliveries first, then records, then runs."""
        with self._store.reading() as conn:
            found = [self._of_step(conn, one) for one in self._store.outbox.steps.failures(conn, account=account)]
            found += [of_reject(one) for one in self._store.mirror.rejects.list(conn, account)]
            found += [of_run(one) for one in self._again.failed_runs(conn, account)]
        return found

    def earlier(self) -> list[Earlier]:
        """Return what people replayed, the newest first, each thing once."""
        found: dict[str, Earlier] = {}
        with self._store.reading() as conn:
            for one in self._store.questions.replayed(conn):
                failure = self._replayed(conn, one)
                if failure is not None:
                    found.setdefault(failure.id, Earlier(failure, one["actor"], one["business_date"]))
        return list(found.values())

    def _replayed(self, conn: Connection, one: Mapping[str, Any]) -> Failure | None:
        if one["step_id"] is not None:
            return self._of_step(conn, self._store.outbox.steps.get(conn, one["step_id"]))
        if one["run_id"] is not None:
            run = self._store.runs.get(conn, one["run_id"])
            text = run.error or Sentence("")
            return of_run(FailedRun(run.id, run.kind, run.account, run.cause or "", text, run.started_at))
        try:
            return of_reject(self._store.mirror.rejects.get(conn, one["data"].get("reject", 0)))
        except UsageError:  # settled long ago, and erased
            return None

    def groups(self, account: str | None = None) -> list[Group]:
        """Return the failures grouped by account, act and cause, the largest group first."""
        together: dict[tuple[str, str, str], list[Failure]] = {}
        for one in self.failures(account):
            together.setdefault((one.account, one.what, one.cause), []).append(one)
        groups = [Group(*key, tuple(items)) for key, items in together.items()]
        return sorted(groups, key=lambda group: (-len(group.items), group.account, group.what, group.cause))

    def get(self, item: str) -> Failure:
        """Return one failure. Raises `UsageError` where there is none with this id."""
        for one in self.failures():
            if one.id == item:
                return one
        parse_id(item)
        raise UsageError("{item} is not stopped; `failures list` shows what is", item=item)

    def preview(self, items: Sequence[str]) -> list[Preview]:
        """Return what a replay would do with each item; providers are only read, nothing is stored."""
        return [self._preview(item, went_out=None) for item in items]

    def _preview(self, item: str, *, went_out: bool | None) -> Preview:
        kind, number = parse_id(item)
        if kind is Kind.REJECT:
            return self._preview_reject(item, number)
        if kind is Kind.RUN:
            found = self._run(number)
            plan = Plan.RUN if found and self._again.rerun else Plan.NOTHING
            return Preview(item, plan, _again(found) if found else Sentence("it is no longer failed"))
        return self._preview_step(item, number, went_out)

    def _preview_step(self, item: str, number: int, went_out: bool | None) -> Preview:
        with self._store.reading() as conn:
            step = self._store.outbox.steps.get(conn, number)
            notice = self._store.outbox.get(conn, step.notice_id)
        if step.state == "queued":
            return Preview(item, Plan.AGAIN, Sentence("it is tried again at the next delivery"))
        if step.state not in ("parked", "unclear"):
            return Preview(item, Plan.NOTHING, _IT_IS[step.state])
        if step.proof is not None:
            text = Sentence(
                "the provider made {provider_id}: {error}; accept it as done, or discard it",
                provider_id=step.proof.provider_id or Sentence("it"),
                error=step.error,
            )
            return Preview(item, Plan.FOUND if went_out else Plan.ASK, text, step.proof)
        if step.state == "parked" and step.started_at is None and went_out is not True:
            return Preview(
                item, Plan.AGAIN, Sentence("certainly nothing was written; it is done again after a fresh look")
            )
        return self._asked(item, notice, step, went_out)

    def _asked(self, item: str, notice: Notice, step: Step, went_out: bool | None) -> Preview:
        """Ask the provider, and where it cannot tell take the person's word."""
        try:
            proof = self._find(notice, step)
        except (RetryLater, ConfigError) as error:
            proof, absent, text = None, False, Sentence("the provider does not answer: {error}", error=error)
            if went_out is None:
                return Preview(item, Plan.WAIT, text)
        except BridgeError as error:
            proof, absent, text = None, False, error.sentence
        else:
            absent, text = proof is None and not step.reaches_debtor, Sentence("the provider shows no trace of it")
        if proof is not None:
            return Preview(
                item,
                Plan.FOUND,
                Sentence("the provider holds {provider_id}", provider_id=proof.provider_id or Sentence("it")),
                proof,
            )
        if step.state == "unclear":
            return Preview(item, Plan.WAIT, Sentence("its settling time is not over; delivery looks for it by itself"))
        if went_out:
            return Preview(item, Plan.FOUND, Sentence("done, on a person's word"))
        if absent or went_out is False:
            return Preview(
                item, Plan.AGAIN, text if absent else Sentence("done again after a fresh look, on a person's word")
            )
        return Preview(item, Plan.ASK, Sentence("{text}; say whether it went out", text=text))

    def _find(self, notice: Notice, step: Step) -> Proof | None:
        write, port = write_back(notice, step), self._port(step.account)
        if step.channel is not None:
            if step.channel not in self._desk.channels:
                raise CannotTell("there is no channel {channel} any more", channel=step.channel, cause="no_channel")
            return found_proof(write, self._desk.channels[step.channel].find(write))
        with port.http.delivering():
            port.http.prepare()
            return found_proof(write, port.connector.find(write))

    def _preview_reject(self, item: str, number: int) -> Preview:
        with self._store.reading() as conn:
            known = self._store.mirror.rejects.get(conn, number)
        if known.state != "open":
            return Preview(item, Plan.NOTHING, _IT_IS[known.state])
        if known.reject.kind == "invoice" and known.reject.provider_id:
            return Preview(
                item,
                Plan.READ,
                Sentence("invoice {provider_id} is read again at the provider", provider_id=known.reject.provider_id),
            )
        if self._again.pull is None:
            return Preview(item, Plan.WAIT, Sentence("it is read again with the next full pull"))
        return Preview(item, Plan.READ, Sentence("all open records of {account} are read again", account=known.account))

    # --------------------------------------------------------------------------------------------------------- acting

    def replay(
        self,
        item: str,
        *,
        actor: str,
        reason: str,
        went_out: bool | None = None,
        on: date | None = None,
    ) -> Preview:
        """Try one failure again, and return what was done.

        `went_out` is a person's word on a delivery of which nobody can tell: True with evidence in `reason` makes it done (landed
        on local date `on`, default today), False queues it again. A proof at the provider counts more than either.
        Raises `UsageError` where that word is needed and missing; nothing is changed then.
        """
        _explained(actor, reason)
        preview = self._preview(item, went_out=went_out)
        kind, number = parse_id(item)
        if preview.plan is Plan.ASK:
            raise UsageError("{item}: {text}", item=item, text=preview.text)
        if preview.plan in (Plan.NOTHING, Plan.WAIT):
            return preview
        if kind is Kind.REJECT:
            return self._reread(item, number, actor, reason)
        if kind is Kind.RUN:
            return self._rerun(preview, number, actor, reason)
        try:
            self._replay_step(number, preview, actor=actor, reason=reason, on=on)
        except WrongState as error:
            return Preview(item, Plan.NOTHING, error.sentence)
        return preview

    def _replay_step(self, number: int, preview: Preview, *, actor: str, reason: str, on: date | None) -> None:
        with self._store.begin() as conn:
            outbox, now = self._store.outbox, self._store.now()
            notice, step = self._locked(conn, number)
            port = self._port(notice.account)
            if on is not None and on > port.today():
                raise UsageError("{on} is in the future; today is {port}", on=on, port=port.today())
            self._journal(conn, "step_replayed", notice, step, actor, reason, preview.plan)
            if preview.plan is Plan.FOUND:
                facts = {"asserted_by": actor, "evidence": reason}
                proof = preview.proof or Proof(key=step.key, at=port.now(), facts=facts)
                if step.state == "unclear":
                    outbox.steps.prove(conn, step.id, None, proof, now=now)
                else:
                    outbox.steps.accept(conn, step.id, proof, now=now)
                Landing(self._desk, port).follow(conn, notice, step, proof, Proved("done"), actor=actor, on=on)
            elif step.state == "queued":
                outbox.steps.hurry(conn, step.id, now=now)
            else:
                outbox.steps.requeue(conn, step.id, now=now)
                outbox.resume(conn, notice.id, now=now)

    def discard(self, item: str, *, actor: str, reason: str, went_out: bool | None = None) -> Preview:
        """Give one failure up for good. Before the landing its whole notice is dropped and decided anew.

        Raises `UsageError` where a delivery may have reached the debtor and nobody has said that it did not: its key would be
        free again, and the same reminder might go out a second time.
        """
        _explained(actor, reason)
        kind, number = parse_id(item)
        if kind is Kind.REJECT:
            return self._discard_reject(item, number, actor, reason)
        if kind is Kind.RUN:
            raise UsageError("a failed run needs no discarding; the next good one takes its place")
        with self._store.begin() as conn:
            notice, step = self._locked(conn, number)
            if step.state != "parked":
                return Preview(item, Plan.NOTHING, _GOES_ON if step.state == "queued" else _IT_IS[step.state])
            uncertain = step.reaches_debtor and (step.started_at is not None or step.proof is not None)
            if uncertain and went_out is not False and notice.state != "landed":
                raise UsageError(
                    "{item} may have reached the debtor; say that it did not, or replay it as gone out", item=item
                )
            self._journal(conn, "step_discarded", notice, step, actor, reason, Plan.NOTHING)
            if notice.state in ("landed", "dropped", "refused"):
                self._store.outbox.steps.discard(conn, step.id, now=self._store.now())
                self._store.outbox.advance(conn, notice.id, now=self._store.now())
                return Preview(item, Plan.GIVEN_UP, Sentence("discarded"))
            today = self._port(notice.account).today()
            self._store.outbox.drop(
                conn,
                notice.id,
                reason="discarded",
                text=quoted(f"{actor}: {reason}"),
                today=today,
                now=self._store.now(),
            )
        return Preview(item, Plan.GIVEN_UP, Sentence("discarded; its notice is dropped and decided anew"))

    def _discard_reject(self, item: str, number: int, actor: str, reason: str) -> Preview:
        with self._store.begin() as conn:
            known = self._store.mirror.rejects.get(conn, number)
            if not self._store.mirror.rejects.settle(conn, number, "discarded"):
                return Preview(item, Plan.NOTHING, _IT_IS[known.state])
            self._journal_reject(conn, "reject_discarded", known, actor, reason)
        return Preview(item, Plan.GIVEN_UP, Sentence("discarded"))

    def _reread(self, item: str, number: int, actor: str, reason: str) -> Preview:
        with self._store.begin() as conn:
            known = self._store.mirror.rejects.get(conn, number)
            self._journal_reject(conn, "reject_replayed", known, actor, reason)
        port, wanted = self._port(known.account), known.reject.provider_id
        if known.reject.kind == "invoice" and wanted:
            try:
                taken = list(port.connector.look([Ref.invoice(wanted)]))
            except BridgeError as error:
                return Preview(item, Plan.WAIT, Sentence("it still does not fit: {error}", error=error))
            with self._store.begin() as conn:
                self._store.mirror.write_looks(
                    conn, known.account, taken, business_date=port.today(), now=self._store.now()
                )
        elif self._again.pull is not None:
            self._again.pull(known.account, actor)
        with self._store.reading() as conn:
            state = self._store.mirror.rejects.get(conn, number).state
        return Preview(
            item,
            Plan.READ,
            Sentence("it fits now") if state == "resolved" else Sentence("it was read again and still does not fit"),
        )

    def _rerun(self, preview: Preview, number: int, actor: str, reason: str) -> Preview:
        found = self._run(number)
        if found is not None and self._again.rerun is not None:
            self._again.rerun(found, actor, reason)
        return replace(preview, text=Sentence("run again"))

    # --------------------------------------------------------------------------------------------------------- inside

    def _of_step(self, conn: Connection, step: Step) -> Failure:
        notice = self._store.outbox.get(conn, step.notice_id)
        claims = [one for one in notice.claims if step.claim_id in (None, one.claim_id)]
        return Failure(
            kind=Kind.STEP,
            number=step.id,
            account=step.account,
            what=step.act.value,
            state=step.state,
            cause=step.cause or "",
            text=step.error or Sentence(""),
            since=step.started_at or notice.created_at,
            invoices=tuple(one.invoice_number or one.invoice_id for one in claims),
            notice_id=notice.id,
        )

    def _locked(self, conn: Connection, number: int) -> tuple[Notice, Step]:
        found = self._store.outbox.steps.get(conn, number)
        notice = self._store.outbox.get(conn, found.notice_id, lock=True)
        return notice, self._store.outbox.steps.get(conn, number, lock=True)

    def _run(self, number: int) -> FailedRun | None:
        with self._store.reading() as conn:
            return next((one for one in self._again.failed_runs(conn, None) if one.id == number), None)

    def _port(self, account: str) -> AccountPort:
        if account not in self._accounts:
            raise UsageError("account {account!r} is no longer configured", account=account)
        return self._accounts[account]

    def _journal(self, conn: Connection, kind: str, notice: Notice, step: Step, *words: str) -> None:
        actor, reason, plan = words
        port = self._port(notice.account)
        self._store.journal.record(
            conn, kind, at=port.now(), on=port.today(), actor=actor, account=notice.account, case_id=notice.case_id,
            notice_id=notice.id, step_id=step.id, data={"act": step.act.value, "reason": reason, "plan": plan},
        )  # fmt: skip

    def _journal_reject(self, conn: Connection, kind: str, known: KnownReject, actor: str, reason: str) -> None:
        port, told = self._port(known.account), known.reject
        data = {"reject": known.id, "record": told.provider_id, "field": told.field, "reason": reason}
        self._store.journal.record(
            conn, kind, at=port.now(), on=port.today(), actor=actor, account=known.account, data=data
        )


def _again(run: FailedRun) -> Sentence:
    """Return what repeating a run does."""
    if run.kind == "pull":
        return Sentence("account {account} is read again", account=run.account)
    return Sentence("the dunning run is repeated, and nothing goes out with it")


def _explained(actor: str, reason: str) -> None:
    if not actor.strip():
        raise UsageError("say who does this")
    if not reason.strip():
        raise UsageError("say why; the reason is kept in the journal")
