"""Reading the providers: pull, and the approval of a jump between two pulls."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

from bridge import pull as acts
from bridge.app.opening import Opened
from bridge.app.results import Done, Pulled
from bridge.errors import AlreadyRunning, UsageError
from bridge.pull import JumpLimits, Outcome, PullResult
from bridge.store.foreign import release_writing
from bridge.store.jumps import jump_text

Progress = Callable[[str, int | None, int | None], None]


class Reading(Opened):
    """What reads."""

    def pull(
        self, accounts: Sequence[str] = (), *, full: bool = False, progress: Progress | None = None
    ) -> tuple[Pulled, ...]:
        """Read what changed in these accounts, or all; one account's failure stops no other. `full`: from the beginning."""
        return tuple(self._pull(name, full=full, progress=progress) for name in self.chosen(accounts))

    def _pull(self, name: str, *, full: bool, progress: Progress | None) -> Pulled:
        own = self.config.dunning
        limits = JumpLimits(own.max_count_jump_percent, own.max_total_jump_percent, left=self._left(name))
        try:
            with self.taping(name) as tape:
                result = acts.pull(
                    self.store,
                    self.port(name),
                    business_date=self.today(name),
                    actor=self.actor,
                    full=full,
                    limits=limits,
                    zone=self.port(name).zone,
                    progress=(lambda done, total: progress(name, done, total)) if progress else None,
                    begun=lambda run, cursor: tape.begin(
                        run, cursor=cursor and dict(cursor.data), **self.tape_facts(name, "pull")
                    ),
                )
                tape.keep = result.outcome is not Outcome.DONE or result.counts.rejects > 0
                if result.outcome in (Outcome.UNREACHABLE, Outcome.WAITING):
                    tape.about = (f"{name}:{result.cause}",)
        except AlreadyRunning as error:
            return Pulled(name, "running", cause=error.cause, error=error.sentence)
        return _pulled(result, self.store.now())

    def _left(self, name: str) -> tuple[str, ...]:
        """Return the accounts of the same connector that have open invoices, and are in the configuration no more."""
        with self.store.reading() as conn:
            known = self.store.mirror.accounts.all(conn)
        same = (one for one in known if one.connector == self.port(name).connector.name and one.open_totals)
        return tuple(one.name for one in same if one.name not in self.config.accounts)

    def approve_jump(self, account: str) -> Done:
        """Accept the jump that holds an account. Raises `UsageError` where none waits."""
        self.chosen((account,))
        if not acts.approve_jump(
            self.store, account, actor=self.actor, business_date=self.today(account), at=self.clock()
        ):
            raise UsageError("account {account} has no jump that waits for approval", account=account)
        return Done("jump_approved", account, self.actor)

    def release(self, account: str, *, note: str = "") -> Done:
        """Let an account be written to again after reminders made elsewhere suspended it. Raises `UsageError` where it is not."""
        self.chosen((account,))
        if not release_writing(
            self.store, account, actor=self.actor, business_date=self.today(account), at=self.clock(), note=note
        ):
            raise UsageError("writing to account {account} is not suspended", account=account)
        return Done("released", account, self.actor)

    def last_run(self, account: str) -> datetime | None:
        """Return when this account had its last dunning run (technical clock), None if it never had one."""
        with self.store.reading() as conn:
            return self.store.questions.last_account_run(conn, account)


def _pulled(result: PullResult, now: datetime) -> Pulled:
    counts = asdict(result.counts)
    counts["changed"] = sum(counts[name] for name in ("debtors", "invoices", "payments", "notices"))
    counts["open"] = sum(number for number, _ in result.open.values())
    if result.outcome is Outcome.DONE and result.jump is None:
        return Pulled(result.account, "done", counts)
    if result.outcome is Outcome.DONE:
        return Pulled(result.account, "waiting", counts, "jump", jump_text(result.jump or {}))
    retry_at = now + result.retry_after if result.retry_after else None
    return Pulled(result.account, "failed", counts, result.cause or result.outcome.value, result.error or "", retry_at)
