"""What the status page says to do next."""

from datetime import date

import pytest

from bridge.app.results import Status
from bridge.cli.locale import speak
from bridge.cli.out import Out
from bridge.cli.show_status import status


@pytest.mark.parametrize(
    ("proposed", "to_send", "said"),
    [
        (0, 0, []),
        (1, 0, ["Eine wartet auf eine Freigabe: `mahnbridge approve`."]),
        (3, 2, ["3 warten auf eine Freigabe: `mahnbridge approve`.", "2 sind fertig und warten darauf"]),
        (0, 1, ["Eine ist fertig und wartet darauf, dass jemand sie auf den Weg bringt: `mahnbridge letters list`."]),
    ],
)
def test_what_waits_for_somebody_is_told_with_its_command(monkeypatch, capsys, proposed, to_send, said):
    """At eight in the morning the page names proposals and letters that lie ready, and where to look."""
    speak("de")
    monkeypatch.setenv("COLUMNS", "200")
    counts = {"proposed": proposed} if proposed else {}
    status(Out(), Status(date(2026, 9, 1), False, "", None, False, 0, (), counts, 0, 0, 0, 0, to_send=to_send))
    page = capsys.readouterr().out
    assert all(one in page for one in said)
    assert ("approve" in page, "letters list" in page) == (bool(proposed), bool(to_send))
