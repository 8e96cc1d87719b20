"""Every request that reaches a sevDesk sandbox here, and every answer that it gives, is held against sevDesk's own specification.

The specification lies outside the project; where it is not at hand, the tests run without it and the summary of the run says so (`tests/conftest.py`).
"""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from bridge.contract import Act, Content, Cursor, Http, Mapping, Recipients, Ref, WriteBack
from bridge.http import HttpSettings, TokenAuth
from connectors.sevdesk.connector import SevDesk
from connectors.sevdesk.sandbox import Sandbox
from connectors.sevdesk.settings import SevDeskSettings

SPECIFICATION = Path(__file__).parents[3] / ".." / "shared" / "reference" / "sevdesk-openapi.yaml"

# Where the real API is known to differ from its specification. Each line has a reason; nothing else may differ.
UNDOCUMENTED = {  # served by the real API, used by public clients, not in the document
    ("PUT", "/Invoice/{id}"),
    ("DELETE", "/Invoice/{id}"),
    ("GET", "/CheckAccountTransactionLog"),
    ("GET", "/PaymentMethod"),
    ("GET", "/StaticCountry"),
}
UNDOCUMENTED_FILTERS = {  # observed to work, or harmless because unknown filters are ignored
    ("/CheckAccountTransaction", "status"),
    ("/ContactAddress", "contact[id]"),
    ("/ContactAddress", "contact[objectName]"),
    ("/Invoice/{id}/getPdf", "download"),
}
EVERYWHERE = {"limit", "offset", "countAll"}  # described in the introduction, not at each list
NUMBERS_FROM_ENUMS = {750}  # documented in prose as a status of invoices, missing in the enumeration of the filter
UNSENT = {"0", ""}  # sendType of an unsent document
# Further: booleans are "0" and "1", ids are text, any field may be null, and single records are wrapped in `objects`.


@cache
def specification():
    return yaml.load(SPECIFICATION.read_bytes(), Loader=yaml.CSafeLoader) if SPECIFICATION.is_file() else None


@cache
def operations():
    """Return every operation as (method, regular expression, template, description)."""
    found = []
    for template, item in specification()["paths"].items():
        expression = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template) + "$")
        found += [(method.upper(), expression, template, item[method]) for method in item if method in METHODS]
    return sorted(found, key=lambda operation: "{" in operation[2])


METHODS = {"get", "put", "post", "delete"}


@cache
def prose(tag):
    """Return the description of a group of endpoints, whose tables name filters that are declared nowhere else."""
    return next((group.get("description", "") for group in specification()["tags"] if group["name"] == tag), "")


def loosened(schema, depth=0):
    """Return a JSON Schema of an OpenAPI schema, with the known differences of the real API."""
    if "$ref" in schema:
        return loosened(specification()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], depth + 1)
    if depth > 6:
        return {}
    if "allOf" in schema:
        return {"anyOf": [{"allOf": [loosened(part, depth + 1) for part in schema["allOf"]]}, {"type": "null"}]}
    kind = schema.get("type")
    if kind == "boolean":
        return {"enum": [True, False, None, "0", "1"]}
    if kind in ("integer", "number"):
        return {"anyOf": [{"type": [kind, "null"]}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}]}
    if kind == "array":
        return {"type": "array", "items": loosened(schema.get("items", {}), depth + 1)}
    if kind == "object" or "properties" in schema:
        properties = {name: loosened(part, depth + 1) for name, part in schema.get("properties", {}).items()}
        return {"type": ["object", "null"], "properties": properties, "required": schema.get("required", [])}
    if "enum" in schema:
        return {"enum": [*schema["enum"], None, *(UNSENT if "VPDF" in schema["enum"] else ())]}
    return {"type": [kind, "null"]} if kind else {}


@cache
def validator(method, template, part):
    """Return the validator of an operation's request body or of its good answer; None where nothing is declared."""
    operation = next(found for m, _, t, found in operations() if (m, t) == (method, template))
    if part == "request":
        content = operation.get("requestBody", {}).get("content", {})
    else:
        good = next((answer for status, answer in operation["responses"].items() if str(status).startswith("2")), {})
        content = good.get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return None if schema is None else Draft202012Validator(loosened(schema))


def problems(method, path, query, body, status, answer):
    """Return what is wrong with a request or its answer, in words."""
    template = re.sub(r"/\d+", "/{id}", path)
    if (method, template) in UNDOCUMENTED:
        return
    operation = next(((t, o) for m, expression, t, o in operations() if m == method and expression.match(path)), None)
    if operation is None:
        yield f"{method} {path} is neither in the specification nor known as undocumented"
        return
    declared, described = {p["name"] for p in operation[1].get("parameters", ())}, prose(operation[1]["tags"][0])
    for name in set(query) - declared - EVERYWHERE:
        if name.split("[")[0] not in described and (template, name) not in UNDOCUMENTED_FILTERS:
            yield f"{method} {path}: the parameter {name} is not known"
    required = {p["name"] for p in operation[1].get("parameters", ()) if p.get("required") and p["in"] == "query"}
    yield from (f"{method} {path}: the parameter {name} is missing" for name in required - set(query))
    checker = validator(method, operation[0], "request") if body else None
    yield from (f"{method} {path} body: {error.message}" for error in (checker.iter_errors(body) if checker else ()))
    if 200 <= status < 300 and not (isinstance(answer, dict) and answer.get("error")):
        yield from (f"{method} {path} answer: {text}" for text in _wrong(method, operation[0], answer))


def _wrong(method, template, answer):
    checker = validator(method, template, "answer")
    if checker is None:
        return
    if "objects" not in checker.schema.get("properties", {}):  # bare in the document, wrapped on the wire
        inner = answer.get("objects") if isinstance(answer, dict) else None
        answer = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
    yield from (
        f"{'.'.join(str(part) for part in error.absolute_path)} {error.message[:200]}"
        for error in checker.iter_errors(answer)
    )


class Witness:
    """Keeps what went over the wire, and judges each different exchange once."""

    judged: set = set()  # noqa: RUF012  shared on purpose: the same exchange is judged once in a run

    def __init__(self):
        self.wrong = []
        self.seen = 0

    def watch(self, sandbox):
        sandbox.server.after(self)

    def __call__(self, request, response):
        self.seen += 1
        key = (request.method, request.target, request.body, response.status, response.body)
        if specification() is not None and key not in self.judged:
            self.judged.add(key)
            body = json.loads(request.body) if request.body else None
            try:
                answer = json.loads(response.body)
            except ValueError:
                answer = None
            path = request.path.removeprefix("/api/v1")
            self.wrong += problems(request.method, path, request.query, body, response.status, answer)
        return response


@pytest.fixture(autouse=True)
def witness(monkeypatch):
    """Hold everything that goes over the wire in this test against the specification."""
    witness, make = Witness(), Sandbox.__init__

    def watched(self, **options):
        make(self, **options)
        witness.watch(self)

    monkeypatch.setattr(Sandbox, "__init__", watched)
    yield witness
    assert witness.wrong == []


class Account:
    """A sandbox account, a connector on it, and what a pull after a pull brings."""

    today = date(2026, 9, 1)

    def __init__(self, sandbox, **settings):
        self.sandbox = sandbox
        self.settings = SevDeskSettings(page_size=3, **settings)
        self.cursor = None
        self._http = Http(
            HttpSettings(base_url=sandbox.base_url, auth=TokenAuth(token=sandbox.token), pace=1000, attempts=1),
            account="test",
            clock=sandbox.clock.now,
            sleep=lambda _: None,
        )
        self.connector = SevDesk("test", self.settings, Mapping.load("sevdesk"), self._http)

    def close(self):
        self._http.close()

    def again(self, **settings):
        """Change settings of the account."""
        self.settings = self.settings.model_copy(update=settings)
        self.connector = SevDesk("test", self.settings, Mapping.load("sevdesk"), self._http)

    def later(self, **by):
        """Let time pass: three hours, where nothing else is said."""
        self.sandbox.clock.advance(timedelta(**(by or {"hours": 3})))

    def rewriting(self, path, id_, fields):
        """Let the provider answer with other fields of one record."""

        def rewrite(request, response):
            if request.path.endswith(path):
                data = json.loads(response.body)
                for row in data["objects"]:
                    row.update(fields if str(row["id"]) == str(id_) else {})
                return replace(response, body=json.dumps(data).encode())
            return response

        self.sandbox.server.after(rewrite)

    def pull(self, *, full=False):
        """Pull and remember the cursor; return all that came, as one batch."""
        batches = list(self.connector.pull(None if full else self.cursor))
        self.cursor = Cursor.model_validate_json(batches[-1].cursor.model_dump_json())
        everything = {
            kind: tuple(record for batch in batches for record in getattr(batch, kind))
            for kind in ("debtors", "invoices", "payments", "notices", "rejects")
        }
        return batches[-1].model_copy(update=everything)

    def invoice(self, id_, batch):
        """Return the newest state of an invoice in a batch; None where it did not come."""
        return next((invoice for invoice in reversed(batch.invoices) if invoice.id == id_), None)

    def look(self, id_):
        return next(iter(self.connector.look([Ref.invoice(id_)])))

    def write(self, act, invoice, reminder=None, **content):
        """Return a write-back on a fresh look."""
        baseline = self.look(invoice)
        level = max((notice.level for notice in baseline.notices), default=0)
        assert baseline.invoice is not None
        said = {
            "principal": baseline.invoice.open,
            "deadline": self.sandbox.today + timedelta(days=14),
            "subject": "Zahlungserinnerung",
            "text": "Bitte zahlen.",
            "recipients": Recipients(to=("buchhaltung@muster.example",)),
        }
        return WriteBack(
            key=f"test/{invoice}/{act}",
            account="test",
            act=act,
            invoice=Ref.invoice(invoice),
            debtor_id=baseline.invoice.debtor_id,
            reminder_id=reminder,
            expected_provider_level=level + (1 if act is Act.CREATE else 0),
            content=Content(**(said | content)),
            baseline=baseline,
            started_at=self.sandbox.clock.now(),
        )

    def push(self, act, invoice, reminder=None, **content):
        return self.connector.push(self.write(act, invoice, reminder, **content))


@pytest.fixture
def account(witness):
    """An account with a bank feed, on 1 September 2026."""
    with Sandbox(today=Account.today) as sandbox:
        account = Account(sandbox)
        yield account
        account.close()
        assert sandbox.server.errors == []
        assert sandbox.ledger.count("pdf_sent") == 0


@pytest.fixture
def customer(account):
    """A customer with an address for invoices."""
    return account.sandbox.add_contact("Muster GmbH", email="buchhaltung@muster.example")


@pytest.fixture
def invoice(account, customer):
    """An invoice over 238.00, due on 17 August."""
    return account.sandbox.add_invoice(customer, gross="238.00", issued_on=date(2026, 8, 3))
