"""Retention (Aufbewahrung): what is kept how long, what is over, and its erasure.

Each file carries the last day of its class (`bridge.store.files.Class`): letters and mails six calendar years after the one of sending,
copies of invoices eight in Germany (HGB 257(1), (4), (5); AO 147). Texts and recipients of closed cases are kept as long as letters.
The journal documents the procedure: ten calendar years. What has no such term is kept as long as it serves, by the configuration.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from bridge.app.auditing import Auditing
from bridge.app.filing import Filing
from bridge.store.trail import first_kept

LAST_ERASED = "last_erased"
"""The setting that says when what was over was erased last."""


@dataclass(frozen=True, slots=True)
class Over:
    """How much of each class is over by today; `erased` True where it is gone now."""

    on: date
    erased: bool
    counts: dict[str, int]


class Retaining(Auditing, Filing):
    """What erases."""

    def over(self) -> Over:
        """Return what may be erased by today; nothing is changed."""
        with self.store.reading() as conn:
            counts, _ = self._classes(conn, erase=False)
        return Over(self.today(), erased=False, counts={**counts, "recordings": len(self._recordings())})

    def erase_over(self) -> Over:
        """Erase what is over, and write into the journal how much of what; its chain stays whole.

        Rows first, bytes after: a crash between the two leaves bytes that nothing names, which the next time removes.
        """
        today, now = self.today(), datetime.now(UTC)
        with self.store.begin() as conn:
            counts, digests = self._classes(conn, erase=True)
        recordings = self._recordings()
        for one in (*recordings, *(self.archive.path(digest) for digest in digests)):
            one.unlink(missing_ok=True)
        counts["recordings"] = len(recordings)
        if counts["trail"]:
            self.erase_data(first_kept(today))
        with self.store.begin() as conn:
            self.store.settings.remember(conn, LAST_ERASED, {"at": now.isoformat()}, self.stamp())
            if any(counts.values()):
                self.record(conn, "retention_applied", data=counts)
        return Over(today, erased=True, counts=counts)

    def last_erased(self) -> datetime | None:
        """Return when what was over was erased last, None where it never was."""
        with self.store.reading() as conn:
            said = self.store.settings.get(conn, LAST_ERASED)
        return datetime.fromisoformat(said["at"]) if said else None

    def _classes(self, conn: Connection, *, erase: bool) -> tuple[dict[str, int], list[str]]:
        today, keep = self.today(), self.store.retention
        before = self.store.now() - timedelta(days=self.config.retention.rejects_days)
        letters = self.config.retention.years(self.config.creditor.country).letters
        files, digests = keep.files(conn, today, erase=erase)
        counts = {
            "rejects": keep.rejects(conn, before, erase=erase),
            "files": files,
            "cases": keep.cases(conn, date(today.year - letters, 1, 1), erase=erase),
            "trail": keep.trail(conn, first_kept(today)),
        }
        return counts, digests

    def _recordings(self) -> list[Path]:
        """Return the recordings that are too old, also where nothing is recorded any more."""
        oldest = datetime.now(UTC) - timedelta(days=self.config.recordings.days)
        found = sorted((self.loaded.data / "recordings").glob("*.jsonl"))
        return [one for one in found if datetime.fromtimestamp(one.stat().st_mtime, UTC) < oldest]
