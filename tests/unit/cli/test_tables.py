"""Tables for people."""

import pytest

from bridge.cli.out import Out


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_a_column_to_drop_need_not_be_there(monkeypatch, capsys, width):
    """On a narrow terminal the columns that may go are left out, also where a table never had one of them."""
    monkeypatch.setenv("COLUMNS", width)
    Out().table(("customer", "total"), [("Bäckerei " * 12, 7)], drop=("state", "customer"))
    assert "7" in capsys.readouterr().out
