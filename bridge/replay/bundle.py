"""Support bundles (Supportpaket): one failed run in a ZIP that another machine can replay, and that names nobody.

Inside: `bundle.json` (what ran, where it began, how it ended, settings without secrets, versions), `exchanges.jsonl` (what was said to
the provider and answered), `files/` (what was read by accounts that read files), `mapping.yaml` and `tables/` where the installation has its
own, and `README.txt`, which says so. Both directions are hostile: what goes in was written by a provider, and a bundle comes by mail.
"""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import AwareDatetime, Field, ValidationError

from bridge.errors import UsageError
from bridge.http.redact import KNOWN
from bridge.http.reply import parse_json
from bridge.model.base import Frozen
from bridge.replay.pseudonyms import Pseudonyms
from bridge.words import NOTHING, Sentence

LARGEST = 200_000_000
"""Bytes that a bundle may have unpacked."""

NAMES = ("bundle.json", "exchanges.jsonl", "mapping.yaml", "README.txt")
_MORE = re.compile(r"files/[0-9]{3}|tables/[A-Za-z0-9_-]{1,64}\.yaml")
MOST = 600
"""Files that a bundle may hold."""

_HEADERS = frozenset({"content-type", "date", "retry-after", "location", "deprecation"})
_HEADER_BEGINS = ("ratelimit", "x-ratelimit", "x-rate-limit")
_REPEATS = re.compile(r"(?:^|[\s:,\[{-])[*&]\w", re.MULTILINE)
"""Parts of YAML that stand for others: no table needs them, and a few of them make a file that never ends."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


FORMAT: Literal[1] = 1
"""Shape of the bundles that this version writes and reads."""


class Misfit(Frozen):
    """A record that was set aside: of which kind, for which field, by which rule."""

    kind: str
    field: str = ""
    reason: str = ""


Lack = Literal["history", "rows"]
LACKS: Mapping[Lack, Sentence] = {
    "history": Sentence(
        "what the account had read from earlier files is not in the bundle: what came of their order (a list dropped twice, rows that were "
        "known, what a complete list settles, bookings withdrawn) cannot be shown"
    ),
    "rows": Sentence(
        "a table of more than 20 MB is cut to its top and to what surrounds the lines that were set aside: what the other rows would do "
        "(sums, contradictions, what a complete list settles) cannot be shown"
    ),
}
"""What a bundle of files lacks, and what a replay of it therefore cannot show."""


class Bundle(Frozen):
    """What a bundle says of its run. Instants are aware, dates local; texts are pseudonymised."""

    format: Literal[1] = FORMAT
    run: int
    kind: Literal["pull", "deliver", "dun"]
    account: str = Field(max_length=64)
    connector: str = Field(max_length=64, pattern=r"^[\w-]+$")
    state: str
    cause: str | None = None
    error: str = ""
    business_date: str
    counts: Mapping[str, Any] = Field(default_factory=dict)
    steps: tuple[tuple[int, str, str], ...] = ()
    rejects: tuple[Misfit, ...] = ()
    clock: AwareDatetime | None = None
    cursor: Mapping[str, Any] | None = None
    whole: bool = True
    lacks: tuple[Lack, ...] = ()
    open: tuple[tuple[str, str | None], ...] = ()
    versions: Mapping[str, str] = Field(default_factory=dict)
    mapping: str = ""
    settings: Mapping[str, Any] = Field(default_factory=dict)
    http: Mapping[str, Any] = Field(default_factory=dict)


class Packed(Frozen):
    """A bundle with what was said."""

    bundle: Bundle
    lines: tuple[Mapping[str, Any], ...] = ()
    mapping: str = ""
    files: Mapping[str, bytes] = Field(default_factory=dict)
    """What an account read, and tables by which it did, by their names in the bundle."""

    @property
    def exchanges(self) -> list[Mapping[str, Any]]:
        """Return the calls and answers, oldest first."""
        return [one for one in self.lines if "method" in one]

    @property
    def asked(self) -> list[Mapping[str, Any]]:
        """Return the calls and answers with what an authorization server said, oldest first."""
        return [one for one in self.lines if "method" in one or one.get("note") == "auth"]

    def notes(self, what: str) -> list[Mapping[str, Any]]:
        """Return what was noted beside them."""
        return [one for one in self.lines if one.get("note") == what]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a bundle. Raises `UsageError` where it is none, or holds what no bundle of ours does."""
        files = _unpacked(path)
        try:
            facts = parse_json(files.get("bundle.json", b""))
            json.dumps(facts, ensure_ascii=False, default=str).encode()  # half a sign can be shown nowhere
            if isinstance(facts, dict) and isinstance(shape := facts.get("format"), int) and shape > FORMAT:
                raise UsageError("{path} was made by a newer version of mahnbridge; replay it with that one", path=path)
            bundle = Bundle.model_validate(facts)
            date.fromisoformat(bundle.business_date)
            lines = [_line(one) for one in files.get("exchanges.jsonl", b"").split(b"\n") if one]
            mapping = files.get("mapping.yaml", b"").decode()
            more = {name: data for name, data in files.items() if name not in NAMES}
            for text in (mapping, *(data.decode() for name, data in more.items() if name.startswith("tables/"))):
                _refuse(text)
            return cls(bundle=bundle, lines=tuple(lines), mapping=mapping, files=more)
        except (ValidationError, ValueError, TypeError, KeyError) as error:
            raise UsageError("{path} is no support bundle: {error}", path=path, error=type(error).__name__) from error

    def pack(self) -> bytes:
        """Return the ZIP; the same bundle gives the same bytes. No secret of this process is in it."""
        files = {
            "bundle.json": json.dumps(self.bundle.model_dump(), ensure_ascii=False, indent=2, default=_plain),
            "exchanges.jsonl": "".join(
                json.dumps(dict(one), ensure_ascii=False, default=_plain) + "\n" for one in self.lines
            ),
            "mapping.yaml": self.mapping,
            "README.txt": _readme(self),
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
            for name, text in files.items():
                if text:
                    entry = zipfile.ZipInfo(name, _EPOCH)
                    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                    package.writestr(entry, KNOWN.text(text).encode("utf-8", "replace"))
            for name, data in self.files.items():
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                package.writestr(entry, data)
        return packed.getvalue()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _unpacked(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
            known = (*NAMES, *(one.filename for one in entries if _MORE.fullmatch(one.filename)))
            strange = [one.filename for one in entries if one.filename not in known]
            if strange or len(entries) > MOST or len({one.filename for one in entries}) < len(entries):
                raise UsageError(
                    "{path} is no support bundle: it holds {name!r}", path=path, name=(strange or ["?"])[0][:100]
                )
            if sum(one.file_size for one in entries) > LARGEST:
                raise UsageError("{path} unpacks to more than {largest} bytes", path=path, largest=LARGEST)
            return {one.filename: package.read(one) for one in entries}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as error:
        raise UsageError("{path} is no support bundle: {error}", path=path, error=type(error).__name__) from error


def _refuse(mapping: str) -> None:
    if _REPEATS.search(mapping):
        raise ValueError("repeated parts")


def _line(data: bytes) -> Mapping[str, Any]:
    line = parse_json(data)
    if not isinstance(line, dict):
        raise ValueError("no object")
    if not isinstance(line.get("step"), int | None):
        raise ValueError("no step")
    if line.get("note") == "file":
        datetime.fromisoformat(line["as_of"]).timestamp()
    if "method" in line:
        if not _is_exchange(line):
            raise ValueError("no exchange")
        urlsplit(line["url"])
        datetime.fromisoformat(line["at"])
    return line


def _is_exchange(line: Mapping[str, Any]) -> bool:
    texts = all(isinstance(line.get(name), str) for name in ("method", "url", "at", "body"))
    headers = line.get("headers")
    return (
        texts
        and isinstance(headers, dict)
        and all(isinstance(value, str) for value in headers.values())
        and isinstance(line.get("sent", True), bool)
        and isinstance(line.get("status"), int | None)
        and isinstance(line.get("error"), str | None)
    )


# ------------------------------------------------------------------------------------------------------- pseudonymised


class Recorded(Frozen):
    """What the first line of a recording says of its run."""

    clock: AwareDatetime | None = None
    cursor: Mapping[str, Any] | None = None
    whole: bool = True
    version: str = ""
    mapping: str = ""

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        """Return what the line says; of one that was damaged on the disk nothing, and that the recording is not whole."""
        try:
            return cls.model_validate({name: line[name] for name in cls.model_fields if name in line})
        except ValidationError:
            return cls(whole=False)


def pseudonymised(lines: Sequence[Mapping[str, Any]], names: Pseudonyms) -> list[dict[str, Any]]:
    """Return exchanges and notes without host, without headers that decide nothing, and with nobody's name in them.

    Exchanges that were damaged on the disk are left out.
    """
    kept = [one for one in lines if "method" not in one or _is_exchange(one)]
    for one in kept:
        for text in (one.get("body"), one.get("request_body")):
            names.learn(str(text or ""))
    return [_exchange(one, names) if "method" in one else _noted(one, names) for one in kept]


def _noted(one: Mapping[str, Any], names: Pseudonyms) -> dict[str, Any]:
    if one.get("note") in ("said", "auth"):  # a channel's own words, its name and the class of the error beside them
        names.keep(str(one.get("cause", "")).rpartition("_")[2])  # the server's code
        return dict(one) | {"text": told(Sentence.stored(str(one.get("text", ""))), names).to_store()}
    return {name: value if name == "channel" else structure(value, names, name) for name, value in one.items()}


def _exchange(one: Mapping[str, Any], names: Pseudonyms) -> dict[str, Any]:
    return {
        "at": one["at"],
        "seconds": one.get("seconds"),
        "step": one.get("step"),
        "method": one["method"],
        "url": _address(str(one["url"]), names),
        "request_body": names.body(str(one.get("request_body") or "")),
        "status": one.get("status"),
        "headers": {
            name: _address(value, names) if name.lower() == "location" else value
            for name, value in one["headers"].items()
            if name.lower() in _HEADERS or name.lower().startswith(_HEADER_BEGINS)
        },
        "body": names.body(one["body"]),
        "error": one.get("error"),
        "sent": one.get("sent", True),
    }


def _address(url: str, names: Pseudonyms) -> str:
    """Return path and query alone; segments and values as everywhere."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a redirect to nowhere
        return names.text(url)
    path = "/".join(quote(names.value(one), safe="~!$&'()*+,;=:@%", errors="replace") for one in parts.path.split("/"))
    query = urlencode(
        [(name, names.value(value, name)) for name, value in parse_qsl(parts.query, keep_blank_values=True)],
        errors="replace",
    )
    return f"{path}?{query}" if query else path


_AS_IT_IS = frozenset({"key", "note", "act", "step", "account"})


def structure(value: Any, names: Pseudonyms, field: str = "") -> Any:
    """Return JSON values with nobody's name in them; keys of write-backs stay, for their markers stand in what the provider answers."""
    if isinstance(value, str):
        return value if field in _AS_IT_IS else names.value(value, field)
    if isinstance(value, Mapping):
        return {name: structure(item, names, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [structure(item, names, field) for item in value]
    return value


def told(text: Sentence | None, names: Pseudonyms) -> Sentence:
    """Return an error in its own words, with the facts replaced."""
    if text is None:
        return NOTHING
    facts = {name: _fact(value, names) for name, value in text.facts.items()}
    return Sentence(text.template, **{name.removesuffix("!r"): value for name, value in facts.items()})


def _fact(value: Any, names: Pseudonyms) -> Any:
    if isinstance(value, Sentence):
        return told(value, names)
    return names.value(value) if isinstance(value, str) else value


def without_secrets(values: Mapping[str, Any], secret: Iterable[str] = ()) -> dict[str, Any]:
    """Return settings (JSON values) without those of these names, and without what is masked or a path of this machine."""
    gone = {*secret, "auth", "proxy", "ca_file"}
    return {
        name: value
        for name, value in values.items()
        if name not in gone and value != "**********" and not (isinstance(value, str) and value.startswith(("/", "~")))
    }


def _readme(packed: Packed) -> str:
    one = packed.bundle
    said = f"{len(packed.exchanges)} exchanges with the provider" if packed.exchanges else "no exchange was recorded"
    read = sum(name.startswith("files/") for name in packed.files)
    files = f"files/           {read} that were read, cell by cell as below" if read else "No file was read."
    return f"""Support bundle of mahnbridge: run {one.run} ({one.kind}) of account {one.account}, connector {one.connector}

bundle.json      what ran, where it began, how it ended ({one.state}{", " + one.cause if one.cause else ""}), settings, versions
exchanges.jsonl  {said}{"" if one.whole else "; the first ones are missing"}
{files}
{"mapping.yaml     the installation's own mapping" if packed.mapping else "The shipped mapping was in use."}
{"".join(f"{chr(10)}! {LACKS[code]}{chr(10)}" for code in one.lacks)}
Not in it: passwords, tokens, keys, the provider's host, headers that decide nothing.
Replaced, the same always by the same: names, addresses, mail addresses, numbers of telephones, banks and taxes, free texts.
As they were: ids at the provider, amounts, dates, statuses, codes; of a file its headings, its encoding and every sign between.

    mahnbridge replay --offline FILE     runs it again, without network and credentials, and compares how it ends
"""
