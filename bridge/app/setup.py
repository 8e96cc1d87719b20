"""Setting up: the first `bridge.yaml`, in which nothing can happen to anybody."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.app.results import Made
from bridge.app.starter import CHANNELS, HEAD, PLAIN_ACCOUNT, SMTP, SMTP_LATER, TAIL
from bridge.config import plugins
from bridge.config.problems import suggestion
from bridge.errors import ConfigError, UsageError

_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}$")


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` was told. `accounts` are `NAME:CONNECTOR`, `base_urls` are `NAME=URL`; `cutoff` empty: today.

    `smtp` is `HOST` or `HOST:PORT` of the own mail server, `sender` the address that mails come from.
    """

    company: str = ""
    accounts: tuple[str, ...] = ()
    base_urls: tuple[str, ...] = ()
    cutoff: str | None = None
    language: str = "de"
    smtp: str = ""
    sender: str = ""


def connectors() -> tuple[str, ...]:
    """Return the names of the installed connectors."""
    return tuple(plugins.names(plugins.CONNECTORS))


def write(path: Path, answers: Answers, *, force: bool = False) -> Made:
    """Write a commented `bridge.yaml`: sending off, cut-off today, every level only proposes.

    Raises `ConfigError` where the file exists or cannot be written, `UsageError` on answers that make no sense.
    """
    if path.exists() and not force:
        raise ConfigError("{path}: exists already; --force overwrites it", path=path, cause="exists")
    accounts = _accounts(answers)
    urls = _urls(answers, accounts)
    cutoff = _cutoff(answers)
    text = render(answers, accounts, urls, cutoff)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            "{path}: cannot be written: {strerror}", path=path, strerror=error.strerror, cause="not_written"
        ) from error
    return Made(str(path), str(path.resolve().parent / "data"), tuple(accounts), cutoff)


def render(answers: Answers, accounts: Mapping[str, str], urls: Mapping[str, str], cutoff: date) -> str:
    """Return the text of a first `bridge.yaml` in the language of `answers`."""
    lang = answers.language if answers.language in HEAD else "de"
    parts = [HEAD[lang].format(language=lang, company=_quoted(answers.company))]
    for name, connector in accounts.items():
        parts.append(_account(name, connector, urls.get(name)))
    if not accounts:
        parts[-1] = parts[-1].rstrip() + " {}\n"
    parts.extend((CHANNELS[lang].format(smtp=_smtp(answers)), TAIL[lang].format(cutoff=cutoff.isoformat())))
    return "".join(parts)


def _account(name: str, connector: str, url: str | None) -> str:
    secret = re.sub(r"[^A-Z0-9]", "_", name.upper())
    lines = (plugins.connector(connector).starter.strip("\n") or PLAIN_ACCOUNT).replace("ACCOUNT", secret)
    if url:
        lines, replaced = re.subn(r"(?m)^(\s*base_url:).*$", rf"\g<1> {url}", lines)
        if not replaced:
            lines += f"\nhttp:\n  base_url: {url}"
    body = "\n".join(f"    {line}".rstrip() for line in lines.split("\n"))
    return f"  {name}:\n    connector: {connector}\n{body}\n"


def _smtp(answers: Answers) -> str:
    if not answers.smtp:
        return SMTP_LATER
    host, _, port = answers.smtp.partition(":")
    if not answers.sender:
        raise UsageError("--smtp needs --sender: the address that mails come from")
    if port and not port.isdecimal():
        raise UsageError(
            "{smtp!r} is no mail server; write mail.example.com or mail.example.com:587", smtp=answers.smtp
        )
    local = host in ("localhost", "127.0.0.1")
    security = "none" if local else "implicit" if port == "465" else "starttls"
    user = "" if local else f'    user: {answers.sender}\n    password: "${{SMTP_PASSWORD}}"\n'
    return SMTP.format(host=host, port=port or 587, security=security, sender=answers.sender) + user


def _accounts(answers: Answers) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in answers.accounts:
        name, _, connector = item.partition(":")
        connector = connector or name
        if not _NAME.match(name):
            raise UsageError(
                "{name!r} is no account name; write small letters, digits, - and _, such as main", name=name
            )
        if connector not in connectors():
            raise UsageError(
                "there is no connector {connector!r} ({hint})",
                connector=connector,
                hint=suggestion(connector, list(connectors())),
            )
        if name in found:
            raise UsageError("account {name} stands here twice", name=name)
        found[name] = connector
    return found


def _urls(answers: Answers, accounts: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in answers.base_urls:
        name, _, url = item.partition("=")
        if name not in accounts or not re.match(r"^https?://\S+$", url):
            raise UsageError("{item!r}: write NAME=https://..., with the name of an account of this call", item=item)
        found[name] = url
    return found


def _cutoff(answers: Answers) -> date:
    if not answers.cutoff:
        return datetime.now(UTC).astimezone(ZoneInfo("Europe/Berlin")).date()
    try:
        found = re.fullmatch(r"(\d{2})\.(\d{2})\.(\d{4})", answers.cutoff)
        return date.fromisoformat("-".join(reversed(found.groups())) if found else answers.cutoff)
    except ValueError as error:
        raise UsageError("{cutoff!r} is no date; write 2026-09-01 or 01.09.2026", cutoff=answers.cutoff) from error


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
