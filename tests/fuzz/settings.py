"""What operators write: mappings, plans, texts, the configuration, base rates, pictures for letters, keys."""

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML

from bridge.app.plan_files import listed, renamed
from bridge.config import load
from bridge.documents import picture
from bridge.errors import UsageError, Wrong
from bridge.mapping import Mapping
from bridge.policy import texts
from bridge.policy.load import parse_plan
from bridge.policy.money.base_rates import parse_table
from bridge.secrets import KEY_FILE, PREVIOUS_FILE, Vault
from tests.fuzz.mutate import mutated, mutated_json, part_of
from tests.fuzz.target import Parse, Target, text

ROOT = Path(__file__).parents[2]

_PAGES = [
    "Sehr geehrte Damen und Herren,\n{% for one in items %}{{ one.number }}: {{ one.open }}\n{% endfor %}{{ total }} bis {{ deadline }}",
    "{% if several %}Rechnungen{% else %}Rechnung{% endif %} {{ invoice_number }} {{ fee|default('') }}",
    "{{ greeting }}\n\n{{ claims }}\n{% for p in payments if p.date %}{{ loop.index }} {{ p.amount|trim|upper }}{% endfor %}\n{{ payment }} {{ items|map(attribute='open')|join(', ') }}",
    "{{ (items|first).number ~ ' ' ~ items[0]['date'] }}{% if fee and not interest or days_overdue == '14' %}{{ items|length + 1 }}{% endif %}",
]
_CONFIG = """\
creditor: {name: A GmbH, street: Weg 1, postcode: '10115', city: Berlin, iban: DE02120300000000202051, email: a@b.example}
accounts:
  main:
    connector: sevdesk
    federal_state: HH
    http: {base_url: https://my.sevdesk.de/api/v1, auth: {type: token, token: '${T}'}, pace: 5}
    settings: {page_size: 100, time_zone: Europe/Berlin}
  files: {connector: generic_csv, freshness_hours: 24, settings: {inbox: inbox, profile: auto}}
  gate:
    connector: billomat
    http: {base_url: https://x.billomat.net/api, auth: {type: oauth2, client_id: c, client_secret: '${T}', token_url: https://a.example/t, authorize_url: https://a.example/a}}
channels:
  smtp: {host: mail.example, port: 587, security: starttls, sender_name: A, sender_address: a@b.example}
  letter_outbox: {folder: letters}
dunning: {cutoff: 2026-01-01, minimum_amount: 5.00, max_notices_per_run: 25}
debtor_page: {public_url: https://m.example/p, link_days: 30}
schedule: {pull: ['06:00'], time_zone: Europe/Berlin}
keys: {key: '${T}'}
recordings: {keep: failed, days: 14, megabytes: 100}
language: de
"""
_RATES = "country: DE\nsource: Bundesbank\nknown_until: 2026-12-31\nrates:\n  2026-01-01: 1.27\n  2026-07-01: 1.52\n"
_PLAN_LINES = (
    "name: eigen\ntitle: {de: Eigen}\n# Stufen\nlevels:\n  - name: {de: Erste}\nbundling:\n  when: from_first\n"
)
_CONFIG_LINES = "# oben\nplans:\n  files:\n    - a.yaml # unser\n  default: a\naccounts: {}\n"


def _yaml(source: str, parse: Callable[[str], object], most: int) -> Parse:
    """Return what feeds YAML: as text with changes, and as its values with others among them, some left out."""
    data = json.loads(json.dumps(YAML(typ="safe", pure=True).load(source), default=str))
    lines = [source[:2500].rpartition("\n")[0].encode()]

    def feed(random: Random) -> object:
        if random.random() < 0.35:
            return parse(mutated(random, lines).decode("utf-8", "replace"))
        return parse(mutated_json(random, json.dumps(part_of(random, data, most) if random.random() < 0.6 else data)))

    return feed


def _configuration(folder: Path) -> Callable[[str], object]:
    folder.mkdir()
    path = folder / "bridge.yaml"
    (folder / "part.yaml").write_text("language: en\n")

    def parse(written: str) -> object:
        path.write_text(written, "utf-8", "replace")
        return load(path, {"T": "0123456789" * 4})

    return parse


_ENVIRONMENT = {
    "MAHNBRIDGE__SCHEDULE__PULL": "['06:00', '18:00']",
    "MAHNBRIDGE__DUNNING": "{minimum_amount: 5.00, cutoff: 2026-01-01}",
    "MAHNBRIDGE__ACCOUNTS__MAIN__HTTP__PACE": "5",
    "MAHNBRIDGE__CREDITOR__NAME": "B GmbH",
    "MAHNBRIDGE__LANGUAGE": "en",
}


def _environment(folder: Path) -> Parse:
    """Read a good configuration with keys from the environment, by changed names and values."""
    path = folder / "good.yaml"
    path.write_text(_CONFIG, "utf-8")

    def parse(random: Random) -> object:
        name = random.choice(list(_ENVIRONMENT))
        changed = mutated(random, [_ENVIRONMENT[name].encode()]).decode("utf-8", "surrogateescape")
        if random.random() < 0.3:
            name = mutated(random, [name.encode()]).decode("utf-8", "replace")
        return load(path, {"T": "0123456789" * 4, name: changed})

    return parse


def _png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


_PICTURES = {
    ".png": _png(),
    ".jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00?\x00\xd2\xff\xd9",
    ".svg": b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><g><use xlink:href="#a"/><path id="a" d="M0 0"/></g></svg>',
}


def _picture(folder: Path) -> Parse:
    def parse(random: Random) -> None:
        ending = random.choice(list(_PICTURES))
        path = folder / f"logo{ending}"
        path.write_bytes(mutated(random, [_PICTURES[ending]]))
        picture.check(path)

    return parse


def _keys(folder: Path) -> Parse:
    """Open the vault on files of keys that somebody edited, then a sealed record that somebody changed, and a key of the configuration."""
    folder.mkdir()
    vault = Vault.open(folder)
    good = (folder / KEY_FILE).read_bytes()
    sealed = vault.seal("main", '{"access_token": "abc"}')

    def parse(random: Random) -> None:
        names = (KEY_FILE, PREVIOUS_FILE)
        for name in names:
            path = folder / name
            path.write_bytes(mutated(random, [good, good + good]) if random.random() < 0.5 else good)
            path.chmod(0o600)
        record = mutated(random, [sealed.encode()]).decode("utf-8", random.choice(("replace", "surrogateescape")))
        opened = [
            lambda: Vault.open(folder).unseal("main", record),
            lambda: Vault([mutated(random, [good]).decode("utf-8", "surrogateescape")]).unseal("main", record),
            lambda: vault.unseal("main", record),
        ]
        random.choice(opened)()

    return parse


def _plan_file(random: Random) -> None:
    """Copy a plan under another name, and add a file to a configuration, line by line."""
    written = mutated(random, [_PLAN_LINES.encode()]).decode("utf-8", "replace")
    name = random.choice(("neu", "neu-2", "Neu", "", "../x", "a" * 70))
    if _named(written):  # only a plan that was read is copied
        renamed(written, name, mutated(random, [b"Titel"]).decode("utf-8", "replace"), group=random.random() < 0.5)
    made = listed(mutated(random, [_CONFIG_LINES.encode()]).decode("utf-8", "replace"), "neu.yaml")
    assert made is None or "neu.yaml" in made


def _named(written: str) -> bool:
    try:
        found: Any = YAML(typ="safe", pure=True).load(written)
    except Exception:  # noqa: BLE001  then it is no plan
        return False
    return isinstance(found, dict) and isinstance(found.get("name"), str)


def targets(folder: Path) -> Iterator[Target]:
    """Yield the parsers of what operators write."""
    plan = (ROOT / "bridge" / "policy" / "plans" / "standard.yaml").read_text("utf-8")
    yield Target(
        "mapping",
        3,
        _yaml(
            (ROOT / "mappings" / "sevdesk.yaml").read_text("utf-8"),
            lambda one: Mapping.parse.__wrapped__(Mapping, "x", one, "x.yaml"),
            4,
        ),
    )  # type: ignore[attr-defined]
    yield Target("plan", 3, _yaml(plan, lambda one: parse_plan.__wrapped__(one, "x.yaml"), 5))
    yield Target("plan_file", 5, _plan_file, (UsageError,))
    yield Target("template", 70, text(_PAGES, texts.check.__wrapped__), (Wrong,))
    yield Target("configuration", 4, _yaml(_CONFIG, _configuration(folder / "config"), 6))
    yield Target("environment", 4, _environment(folder / "config"))
    yield Target("base_rates", 12, text([_RATES], lambda one: parse_table(one, "x.yaml")))
    yield Target("picture", 70, _picture(folder), (Wrong,))
    yield Target("keys", 30, _keys(folder / "keys"))
