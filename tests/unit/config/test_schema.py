"""The JSON Schema for editors says what the program accepts, and the stored copy is current."""

import json
from pathlib import Path

import jsonschema
import pytest

from bridge.config.schema import schema

STORED = Path(__file__).parents[3] / "docs" / "bridge.schema.json"


def test_the_stored_schema_is_current():
    """docs/bridge.schema.json is what `mahnbridge config schema` prints; `make schema` renews it."""
    assert json.loads(STORED.read_text(encoding="utf-8")) == schema()


def good():
    return {
        "language": "de",
        "clock": "2026-09-01",
        "include": ["more.yaml"],
        "accounts": {
            "main": {
                "connector": "sevdesk",
                "settings": {"page_size": 50},
                "http": {
                    "base_url": "https://my.sevdesk.de/api/v1",
                    "auth": {"type": "token", "token_file": "/run/secrets/x"},
                },
                "schedule": {"run": ["07:30"]},
            },
            "files": {"connector": "generic_csv", "settings": {"inbox": "inbox"}},
        },
        "channels": {"smtp": {"host": "mail.example.com", "sender_address": "a@example.com", "password": "${PW}"}},
        "dunning": {"minimum_amount": 5.00, "sending": "never"},
    }


def test_a_good_configuration_fits_the_schema():
    """What the program accepts, an editor accepts too, secret files and settings of each connector included."""
    jsonschema.validate(good(), schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(acounts={}),
        lambda data: data["accounts"]["main"].update(conector="x"),
        lambda data: data["accounts"]["main"]["settings"].update(page_sice=5),
        lambda data: data["accounts"]["main"]["settings"].update(page_size=5000),
        lambda data: data["accounts"]["files"].update(settings={"page_size": 5}),
        lambda data: data["accounts"]["main"]["http"]["auth"].pop("token_file"),
        lambda data: data["channels"].update(pigeon={}),
        lambda data: data["dunning"].update(sending="always"),
    ],
)
def test_an_editor_marks_what_the_program_refuses(change):
    """Unknown keys, values out of range and missing secrets do not fit the schema."""
    data = good()
    change(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema(), jsonschema.Draft202012Validator)


def test_every_key_is_described():
    """Every key of the schema has a description, so that editors and the documentation can show one."""

    def undescribed(node, path):
        for name, info in node.get("properties", {}).items():
            described = info.get("description") or "$ref" in info or info.get("const") or "oneOf" in info
            if not described:
                yield f"{path}.{name}"

    whole = schema()
    missing = [
        *undescribed(whole, ""),
        *(one for name, node in whole["$defs"].items() for one in undescribed(node, name)),
    ]
    assert missing == []
