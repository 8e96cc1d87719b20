"""Metrics for Prometheus. No names of debtors and no single amounts: only counts and sums per account."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "mahnbridge_info": ("Version of the program; always 1.", ("version",)),
    "mahnbridge_sending": ("1 while sending is switched on.", ()),
    "mahnbridge_scheduler": ("1 while this process holds the scheduler's lease.", ()),
    "mahnbridge_account_ok": (
        "1 while the account works, 0 while it is out, must be connected again or is stopped.",
        ("account",),
    ),
    "mahnbridge_account_pulled_timestamp_seconds": ("End of the last successful pull.", ("account",)),
    "mahnbridge_account_blocked_until_timestamp_seconds": (
        "Until when the provider asked us to wait; absent if not.",
        ("account",),
    ),
    "mahnbridge_account_calls_remaining": ("Calls left in the provider's rate window, where it says so.", ("account",)),
    "mahnbridge_open_invoices": ("Open invoices.", ("account", "currency")),
    "mahnbridge_open_amount": ("Sum of open invoices.", ("account", "currency")),
    "mahnbridge_overdue_invoices": ("Overdue invoices.", ("account", "currency")),
    "mahnbridge_overdue_amount": ("Sum of overdue invoices.", ("account", "currency")),
    "mahnbridge_notices": ("Notices by state.", ("state",)),
    "mahnbridge_steps": ("Write-backs that are not settled, by state.", ("account", "state")),
    "mahnbridge_rejects": ("Records that are set aside.", ()),
    "mahnbridge_cases": ("Dunning cases by state.", ("state",)),
    "mahnbridge_account_clock_skew_seconds": (
        "How far the provider's clock was ahead of ours in its last answer; absent before the first.",
        ("account",),
    ),
    "mahnbridge_disk_free_bytes": ("Free room on the disk of the data folder.", ()),
    "mahnbridge_disk_hold_bytes": ("Below this much free room nothing is sent.", ()),
    "mahnbridge_stored_bytes": ("Size of the database file, the kept files and the recordings.", ("what",)),
    "mahnbridge_backup_timestamp_seconds": ("When the last backup was made; absent before the first.", ()),
    "mahnbridge_restored": ("1 while sending is held because a backup was put back.", ()),
    "mahnbridge_outages": ("Accounts whose last job failed.", ()),
}
"""Gauges read at every scrape: name, help, labels."""

JOBS = ("mahnbridge_jobs_total", "Jobs by kind and outcome.", ("job", "outcome"))
SECONDS = ("mahnbridge_job_seconds", "Duration of jobs.", ("job",))
BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)


class Readings(Protocol):
    """Where the gauges come from."""

    def readings(self) -> Mapping[str, Mapping[tuple[str, ...], float]]:
        """Return values by metric name and label values."""


def seconds(moment: datetime) -> float:
    """Return an instant as seconds since 1970, as Prometheus counts."""
    return moment.timestamp()


class Metrics(Collector):
    """The metrics of one process: counters of jobs, and gauges that are read when somebody asks."""

    def __init__(self, source: Readings) -> None:
        self._source = source
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        self.jobs = Counter(*JOBS, registry=self.registry)
        self.seconds = Histogram(*SECONDS, buckets=BUCKETS, registry=self.registry)

    def collect(self) -> Iterable[Metric]:
        """Read all gauges."""
        values: dict[str, Mapping[tuple[str, ...], float]] = {"mahnbridge_info": {(__version__,): 1.0}}
        values.update(self._source.readings())
        for name, (text, labels) in GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=labels)
            for where, value in values.get(name, {}).items():
                family.add_metric(where, value)
            yield family

    def page(self) -> bytes:
        """Return all metrics as Prometheus reads them."""
        return generate_latest(self.registry)


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return every metric with its help and labels, for the documentation."""
    return {**GAUGES, JOBS[0]: JOBS[1:], SECONDS[0]: SECONDS[1:]}
