"""Every request that reaches a sevDesk sandbox here, and every answer that it gives, is held against sevDesk's own specification.

The specification lies outside the project; where it is not at hand, the tests run without it and the summary says so.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from connectors.sevdesk.sandbox import Sandbox

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


def pytest_terminal_summary(terminalreporter):
    if not SPECIFICATION.is_file():
        terminalreporter.write_line(
            "sevDesk: the official specification was not at hand; exchanges were not held against it"
        )
