"""docs/alerts.yml asks for what a running service really says, in a language that Prometheus reads."""

import re
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from sqlalchemy import update

from bridge.app import Bridge
from bridge.schedule import Service
from bridge.store.tables import account, step
from tests.unit.operations.promql import Reader
from tests.unit.store.made import DAY, NOW, batch, invoice, reject
from tests.unit.store.test_retention import case

ROOT = Path(__file__).parents[3]
RULES = [
    rule
    for group in YAML(typ="safe").load((ROOT / "docs" / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
UNITS = re.compile(r"\d+[smhdw]")


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """What /metrics of a real service says where everything that has a metric is there: metric -> sets of its labels."""
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "inbox").mkdir()
    text = "accounts: {main: {connector: generic_csv, settings: {inbox: inbox}}}\ncreditor: {name: X}\nmonitor: {port: 0}\nschedule: {pull: [], run: []}\n"
    (folder / "bridge.yaml").write_text(text, "utf-8")
    with Bridge.open(folder / "bridge.yaml", actor="t", env={}) as bridge:
        case(bridge, 1, DAY)
        with bridge.store.begin() as conn:
            conn.execute(update(step).values(state="parked", cause="cannot_tell"))
            bridge.store.mirror.write(
                conn, "main", batch(invoices=[invoice("1")], rejects=[reject("2")]), business_date=DAY, now=NOW
            )
            conn.execute(update(account).values(pulled_at=datetime.now(UTC)))
        bridge.back_up()
        bridge.accounts["main"].http._wire.clock_skew = timedelta(seconds=1)
        service = Service(bridge)
        thread = threading.Thread(target=service.run, daemon=True)
        thread.start()
        assert service.up.wait(10)
        service.job("house")
        with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/metrics", timeout=10) as answer:
            families = [*text_string_to_metric_families(answer.read().decode())]
        service.stop()
        thread.join(15)
    found = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_is_exported(scraped, rule):
    """Each expression is PromQL, and each metric, label and value in it is one that /metrics really has."""
    read = Reader(rule["expr"])
    assert read.kind == "i"
    assert read.selectors
    for metric, labels in read.selectors:
        assert metric in scraped
        for label, how, value in labels:
            said = [one[label] for one in scraped[metric]]
            known = {*said, "failed", "crashed"} if label == "outcome" else set(said)
            assert all(one in known for one in (value.split("|") if how == "=~" else [value])), (metric, label, value)
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert shown <= {label for metric, _ in read.selectors for one in scraped[metric] for label in one}
    assert UNITS.fullmatch(rule.get("for", "0s"))
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}


def test_outcomes_of_jobs_are_those_of_the_alert():
    """The two outcomes that an alert waits for are outcomes that the service counts."""
    source = (ROOT / "bridge" / "schedule" / "service.py").read_text("utf-8")
    counted = {word for line in re.findall(r"outcome = .*", source) for word in re.findall(r'"(\w+)"', line)}
    assert {"failed", "crashed"} <= counted


@pytest.mark.parametrize(
    "wrong",
    [
        'sum(mahnbridge_steps{state="parked") > 0', "increase(mahnbridge_jobs_total[1d) > 3", "absent() or x", "a >> b", "a b", "time() - ",
        "increase(mahnbridge_jobs_total) > 3", "sum(a[1d])", "predict_linear(a[3d], 7 * 86400, 1)", "a or 3", "a{b=c}", "(a",
    ],
)  # fmt: skip
def test_what_prometheus_refuses_is_refused(wrong):
    """Brackets, arguments and kinds of values are read as Prometheus does."""
    with pytest.raises(ValueError, match=r"expected|is no PromQL|wants|cannot stand"):
        Reader(wrong)
