"""Every path, filter and field that the connector uses exists on Billomat's official pages, as far as the extract of them is at hand."""

import json
import re
from datetime import date
from pathlib import Path

from bridge.contract import Act, Content, Http, Mapping, Recipients, Ref, WriteBack
from bridge.http import HttpSettings, TokenAuth
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox
from connectors.billomat.sandbox.routes import KNOWN

FACTS = Path(__file__).parents[4] / "shared" / "reference" / "billomat-docs-facts.json"
GENERAL = frozenset({"format", "page", "per_page", "order_by", "customfield"})
BEYOND = {
    ("POST", "/reminders"): {"customfield"},  # own meta data: whether it is stored is checked on the answer
    ("PUT", "/reminders/{}"): {"subject", "intro", "due_date"},  # the page of PUT repeats no fields
    ("PUT", "/reminders/{}/complete"): {"template_id"},  # as two public clients send it
}


def everything():
    """Let the connector do all it can, once with each place of our mark; return the requests."""
    with Sandbox(today=date(2026, 11, 16), limit=None) as sandbox:
        client = sandbox.add_client("Ahorn Bau GmbH", email="a@ahorn.example")
        contact = sandbox.add_contact(client, "p@ahorn.example")
        ids = [sandbox.add_invoice(client, "50.00", due_on=date(2026, 11, 1), contact_id=contact) for _ in range(6)]
        sandbox.tag_invoice(ids[5], "mahnstopp")
        sandbox.tag_client(client, "mahnstopp")
        payment = sandbox.pay(ids[4], "1.00")
        for number, key in enumerate(("label", "customfield")):
            auth = TokenAuth(token=sandbox.key, header="X-BillomatApiKey")
            http = Http(HttpSettings(base_url=sandbox.base_url, auth=auth, pace=1000), clock=sandbox.clock.now)
            settings = Billomat.Settings(
                page_size=2, write_key=key, post=True, changes="updated" if number else "full", template_id=3
            )
            connector = Billomat("main", settings, Mapping.load("billomat"), http)
            connector.check()
            connector.prepare_places()
            cursor = list(connector.pull(None))[-1].cursor
            sandbox.remind_by_hand(ids[3])
            if number:
                sandbox.delete_payment(payment)
            list(connector.pull(cursor))
            list(connector.look([Ref.invoice(key, f"RE-{int(key) - 8000}") for key in ids]))
            _write_all(connector, sandbox, ids[number])
        connector.document(Ref.invoice(ids[0]))
        return list(sandbox.server.log)


def _write_all(connector, sandbox, invoice):
    number, reminder = f"RE-{int(invoice) - 8000}", None
    for act in (
        Act.CREATE,
        Act.AMEND,
        Act.COMPLETE,
        Act.SEND_EMAIL,
        Act.SEND_POST,
        Act.NOTE,
        Act.TAG,
        Act.CUSTOMER_NOTE,
        Act.CREATE,
        Act.DISCARD,
    ):
        (snapshot,) = connector.look([Ref.invoice(invoice, number)])
        content = Content(
            principal=snapshot.invoice.open,
            fee="0.00" if act is Act.CREATE else "2.00",  # as amended, else what is completed is not what was checked
            subject="Betreff",
            text="Text",
            line="Zeile",
            tag="gemahnt",
            deadline=date(2026, 12, 1 if act is Act.CREATE else 2),
            recipients=Recipients(to=("a@ahorn.example",), cc=("b@ahorn.example",)),
        )
        write = WriteBack(
            key=f"{invoice}/{act}/{reminder}",
            account="main",
            act=act,
            invoice=Ref.invoice(invoice, number),
            debtor_id=snapshot.invoice.debtor_id,
            reminder_id=reminder,
            content=content,
            baseline=snapshot,
        )
        proof = connector.push(write)
        reminder = proof.provider_id if act is Act.CREATE else reminder
        assert connector.find(write) is not None


def shape(path):
    return re.sub(r"/\d+", "/{}", path.removeprefix("/api"))


def official():
    """Return filters and fields by method and path, from the extract where it is at hand."""
    found = {}
    for resource in json.loads(FACTS.read_text("utf-8"))["resources"].values():
        for endpoint in resource["endpoints"]:
            if endpoint["path"] is None:
                continue
            path, _, query = endpoint["path"].partition("?")
            key = (endpoint["method"], re.sub(r"\{\w+\}", "{}", path).removeprefix("/api"))
            filters, fields = found.setdefault(key, (set(), set()))
            filters |= {name if isinstance(name, str) else name["name"] for name in endpoint.get("filters", [])}
            filters |= {part.split("=")[0] for part in query.split("&") if part}
            fields |= {field["name"] for field in endpoint.get("fields", [])}
    return found


def test_only_documented_paths_filters_and_fields_are_used():
    """No call relies on a path, filter or field that Billomat does not document; its sandbox knows the same filters."""
    requests = everything()
    assert {request.method for request in requests} == {"GET", "HEAD", "POST", "PUT", "DELETE"}
    facts = official() if FACTS.is_file() else None
    for request in requests:
        method, path = "GET" if request.method == "HEAD" else request.method, shape(request.path)
        used = set(request.query) - GENERAL
        if path.removeprefix("/") in KNOWN:
            assert used <= KNOWN[path.removeprefix("/")], request.target
        assert request.arg("format") == "json"
        if facts is None:
            continue
        if path.endswith("/customfield"):
            assert any(known.endswith("/{}/customfield") for _, known in facts)  # described once, for all records
            continue
        assert (method, path) in facts, request.target
        filters, fields = facts[method, path]
        assert used <= filters, request.target
        if request.body:
            ((_, body),) = request.json().items()
            assert set(body) <= fields | BEYOND.get((method, path), set()), request.target
