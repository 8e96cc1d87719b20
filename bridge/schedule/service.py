"""The running service: one scheduler per deployment, times per account, and a stop that loses nothing."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as time_of_day
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.job import Job  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from bridge import log
from bridge.errors import AlreadyRunning, BridgeError
from bridge.metrics import Metrics
from bridge.page import PageServer
from bridge.schedule import port as pages
from bridge.schedule.times import Daily, due_before
from bridge.store.engine import explained
from bridge.store.leases import Held
from bridge.words import Sentence

if TYPE_CHECKING:
    from bridge.app import Bridge
    from bridge.app.results import Pulled, ReturnsRead

LEASE_SECONDS = 60
HEARTBEAT_SECONDS = 15
HOUSE_AT = time_of_day(3, 30)
"""When the house is kept, in local time: after the hours that a change of the clocks repeats or skips."""

STOP_SECONDS = 9.0
"""How long a stop waits for the steps in hand; a container is killed after ten seconds."""

Wait = Callable[[float], bool]


class Service:
    """Everything that `serve` runs. `stop` may be called from any thread, more than once."""

    def __init__(self, bridge: "Bridge") -> None:
        self.bridge = bridge
        self.log = log.get("serve")
        self.outages = log.Outages(self.log)
        self.metrics = Metrics(self)
        self.stopping = threading.Event()
        self.up = threading.Event()
        self.ended = threading.Event()
        self.port = 0
        self.page: PageServer | None = None
        self.beat = time.monotonic()
        self._working: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._rounds = threading.Lock()
        self._held = False
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max(4, 2 * len(bridge.accounts)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    # ---------------------------------------------------------------------------------------------------------- life

    def run(self) -> int:
        """Work until `stop` is called; return the exit code. Raises `AlreadyRunning` where another scheduler holds the lease."""
        try:
            with self.bridge.store.leases.holding(
                "scheduler", seconds=LEASE_SECONDS, what=Sentence("the scheduler")
            ) as lease:
                return self._run(lease)
        finally:
            self.ended.set()

    def _run(self, lease: Held) -> int:
        monitor = self.bridge.config.monitor
        served = {"/healthz": self.healthz, "/readyz": self.readyz, "/metrics": self._metrics}
        port = pages.Port(monitor.host, monitor.port, served)
        try:
            self._open_page()
            self._held = True
            self._plan()
            self._scheduler.start()
            self.port = port.number
            self.up.set()
            self.log.info("started", accounts=sorted(self.bridge.accounts), port=port.number)
            return self._watch(lambda: self._renew(lease))
        finally:
            self._end(port)

    def _open_page(self) -> None:
        if self.bridge.config.debtor_page.public_url or self.bridge.config.public_url:
            self.page = PageServer(self.bridge)
            self.log.info("debtor_page", port=self.page.number)

    def _metrics(self) -> pages.Answer:
        return pages.metrics(self.metrics.page())

    def stop(self) -> None:
        """Take up nothing new; what is in hand is finished or parked."""
        self.bridge.stop.set()
        self.stopping.set()

    def _watch(self, renew: Callable[[], bool]) -> int:
        while not self.stopping.wait(HEARTBEAT_SECONDS):
            if not renew():
                self.log.error("lease_lost", message="another scheduler has taken over; this one stops")
                self.stop()
                return 1
            self.beat = time.monotonic()
            self._seal()
            self._signs()
        return 0

    def _signs(self) -> None:
        """Say once that room on the disk or a clock goes wrong, and once that it is well again."""
        try:
            signs = self.bridge.signs()
        except Exception as error:  # noqa: BLE001  what cannot be looked at now is looked at again; the service goes on
            self.outages.failed("signs", type(error).__name__, str(error))
            return
        for what, cause, text in signs:
            if cause:
                self.outages.failed(what, cause, str(text))
            else:
                self.outages.worked(what)

    def _seal(self) -> None:
        try:
            self.bridge.seal()
        except Exception as error:  # noqa: BLE001  what is not sealed now is sealed later; nothing waits for it
            self.log.warning("not_sealed", error=type(error).__name__)

    def _renew(self, lease: Held) -> bool:
        try:
            with self.bridge.store.begin() as conn:
                lease.renew(conn)
        except AlreadyRunning:
            return False
        except Exception as error:  # noqa: BLE001  a database that is away for a moment must not end the service
            self.outages.failed("database", type(error).__name__, str(error))
            return True
        self.outages.worked("database")
        return True

    def _end(self, port: pages.Port) -> None:
        self.stop()
        self._scheduler.shutdown(wait=False)
        until = time.monotonic() + STOP_SECONDS
        for thread in list(self._working):
            thread.join(max(0.0, until - time.monotonic()))
        left = self.unfinished()
        port.close()
        if self.page is not None:
            self.page.close()
        self._held = False
        self.log.info("stopped", unfinished=left)

    def unfinished(self) -> int:
        """Return how many jobs are still at work."""
        return sum(thread.is_alive() for thread in list(self._working))

    def jobs(self) -> list[Job]:
        """Return what is planned."""
        return list(self._scheduler.get_jobs())

    # ---------------------------------------------------------------------------------------------------------- jobs

    def _plan(self) -> None:
        schedule = self.bridge.config.schedule
        zone = ZoneInfo(schedule.time_zone)
        rounds: dict[time_of_day, list[str]] = {}
        missed = []
        for name, account in self.bridge.config.accounts.items():
            if not account.enabled:
                continue
            pull = schedule.pull if account.schedule.pull is None else account.schedule.pull
            run = schedule.run if account.schedule.run is None else account.schedule.run
            if pull:
                self._scheduler.add_job(self.job, Daily(pull, zone), args=("pull", name), id=f"pull:{name}")
            for at in run:
                rounds.setdefault(at, []).append(name)
            if run and self._missed(name, due_before(run, zone, self._now())):
                missed.append(name)
            every = IntervalTrigger(minutes=schedule.deliver_every_minutes)
            self._scheduler.add_job(
                self.job, every, args=("deliver", name), id=f"deliver:{name}", next_run_time=self._now()
            )  # what waits since the last stop is taken up at once
        for at, names in rounds.items():  # one round for all that are due then: one run, so one cap
            self._scheduler.add_job(self.job, Daily((at,), zone), args=("run", *names), id=f"run:{at.isoformat()}")
        self._plan_house(zone)
        warning = self.bridge.config.forewarning
        if warning.to:
            self._scheduler.add_job(self.job, Daily((warning.at,), zone), args=("forewarn",), id="forewarn")
        if missed:
            self._scheduler.add_job(self.job, args=("run", *missed), id="run:missed", next_run_time=self._now())

    def _plan_house(self, zone: ZoneInfo) -> None:
        """Plan the nightly keeping of the house; a machine that is off at night keeps it at its start, once."""
        if not self.bridge.config.retention.erase:
            return
        self._scheduler.add_job(self.job, Daily((HOUSE_AT,), zone), args=("house",), id="house")
        last = self.bridge.last_erased()
        if last is None or last < due_before((HOUSE_AT,), zone, self._now()):
            self._scheduler.add_job(self.job, args=("house",), id="house:missed", next_run_time=self._now())

    def _missed(self, account: str, due: datetime) -> bool:
        """Return whether a run was missed while the service was down; it is made up for once, at the level that is right today."""
        last = self.bridge.last_run(account)
        if last is None or last >= due:  # a fresh installation has missed nothing
            return False
        self.log.info("catch_up", account=account, due=due.isoformat())
        return True

    def job(self, kind: str, *accounts: str) -> None:
        """Do one job: `pull` or `deliver` an account, `run` all that are due at one time as one round, `forewarn`, or keep the `house`.

        Whatever happens ends here, in the log and in the metrics.
        """
        if self.stopping.is_set():
            return
        me, started = threading.current_thread(), time.monotonic()
        with self._lock:
            self._working.add(me)
        outcome = "done"
        try:
            outcome = self._round(accounts) if kind == "run" else self._do(kind, *accounts)
        except AlreadyRunning as error:
            outcome = "already_running"
            self.log.info("skipped", job=kind, account=", ".join(accounts), message=str(error))
        except Exception as error:
            fault = error if isinstance(error, BridgeError) else explained(error)
            outcome = "failed" if fault else "crashed"
            if fault is None:
                self.log.exception("crashed", job=kind, account=", ".join(accounts), error=type(error).__name__)
            else:
                for account in accounts or (kind,):
                    self.outages.failed(account, fault.cause, str(fault), job=kind)
        finally:
            with self._lock:
                self._working.discard(me)
            self.metrics.jobs.labels(kind, outcome).inc()
            self.metrics.seconds.labels(kind).observe(time.monotonic() - started)

    def _do(self, kind: str, account: str = "") -> str:
        if kind == "house":
            return self._house()
        if kind == "forewarn":
            told = self.bridge.forewarn()
            self.outages.worked(kind)
            self.log.info("forewarned", on=told.on.isoformat(), notices=len(told.notices), mailed=bool(told.sent_to))
            return "done"
        if kind == "pull":
            return self._pulled(self.bridge.pull((account,))[0])
        report = self.bridge.deliver((account,))
        if any(report.counts.values()):
            self.log.info("delivered", account=account, **report.counts)
        return "done"

    def _house(self) -> str:
        """Erase what is over."""
        counts = self.bridge.erase_over().counts
        if any(counts.values()):
            self.log.info("retention", **counts)
        return "done"

    def _round(self, accounts: tuple[str, ...]) -> str:
        """Read, decide and deliver these accounts in one run. A round that began late does not cost the next one its turn.

        What came back is read first: a notice that did not arrive holds the next one.
        """
        with self._rounds:
            if self.stopping.is_set():
                return "done"
            result = self.bridge.run(accounts)
        self._returned(result.returned)
        outcomes = {self._pulled(one) for one in result.pulled}
        names = ", ".join(accounts)
        if result.planned is not None:
            self.log.info("run", account=names, state=result.planned.state, notices=len(result.planned.notices))
        if result.delivered is not None:
            self.log.info("delivered", account=names, **result.delivered.counts)
        return "failed" if "failed" in outcomes else "done"

    def _returned(self, result: "ReturnsRead") -> None:
        out = {channel for channel, _, _ in result.problems}
        for name in self.bridge.channels.keys() - out:
            self.outages.worked(name)
        for name, cause, text in result.problems:
            self.outages.failed(name, cause, str(text), job="returns")
        if result.notices:
            self.log.warning("returned", notices=list(result.notices))

    def _pulled(self, result: "Pulled") -> str:
        if result.state == "done":
            self.outages.worked(result.account)
            self.log.info("pulled", account=result.account, **result.counts)
            return "done"
        self.outages.failed(result.account, result.cause or result.state, result.error)
        return "failed"

    def _now(self) -> datetime:
        return datetime.now(UTC)

    # --------------------------------------------------------------------------------------------------------- pages

    def healthz(self) -> pages.Answer:
        """Say whether this process works: 200 while its heart beats."""
        age = time.monotonic() - self.beat
        if age > 4 * HEARTBEAT_SECONDS:
            return pages.text(503, f"no heartbeat for {age:.0f} s")
        return pages.text(200, "ok")

    def readyz(self) -> pages.Answer:
        """Say whether it can do its work: database, lease, scheduler; accounts that are out are named, not fatal."""
        try:
            with self.bridge.store.reading() as conn:
                self.bridge.store.leases.holder(conn, "scheduler")
            database = "ok"
        except Exception as error:  # noqa: BLE001  whatever it is, the answer is no
            database = type(error).__name__
        running = self._held and self._scheduler.running and not self.stopping.is_set()
        ready = database == "ok" and running
        values = {"ready": ready, "database": database, "scheduler": running, "out": sorted(self.outages.down)}
        return pages.data(200 if ready else 503, values)

    def readings(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Return the gauges of this moment."""
        values = self.bridge.readings()
        values["mahnbridge_scheduler"] = {(): float(self._held)}
        values["mahnbridge_outages"] = {(): float(len(self.outages.down))}
        return values


def serve(bridge: "Bridge") -> int:
    """Run the service until SIGTERM or SIGINT; return the exit code."""
    config = bridge.config.log
    log.set_up(style=config.format.value, level=config.level.value)
    service = Service(bridge)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    code = service.run()
    if service.unfinished():  # a read that hangs must not keep the process beyond its time; nothing of it is lost
        sys.stderr.flush()
        os._exit(code)
    return code
