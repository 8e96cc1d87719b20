"""New plans: a file copied from another plan with its comments, and its line in the configuration. Nothing else is touched."""

import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bridge.app.foresight import PlanMade
from bridge.app.opening import Opened
from bridge.config import load
from bridge.errors import ConfigError, UsageError
from bridge.plain import too_deep, too_many
from bridge.policy.load import load_plan, parse_plan

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

GROUP = """\
# Ein Plan je Schuldner: fällige Rechnungen gehen in einer Mahnung hinaus. One message for all invoices of a debtor that are due.
bundling:
  when: from_first
"""


class PlanFiles(Opened):
    """What writes plan files."""

    def new_plan(self, name: str, *, source: str = "standard", title: str = "", group: bool = False) -> PlanMade:
        """Write a plan file as a copy of plan `source`, comments kept, and list it in the configuration.

        `group`: a plan per debtor, whose due invoices go out in one message; else per invoice, as `source` is.
        Raises `UsageError` on a name that is taken or none, `ConfigError` where the file exists or cannot be written.
        """
        files = self.config.plans.files
        if any(load_plan(path).name == name for path in files):
            raise UsageError("there is a plan {name!r} already", name=name)
        text = renamed(text_of(source, files), name, title, group=group)
        path = self.loaded.folder / f"{name}.yaml"
        parse_plan(text, path.name)
        write(path, text, new=True)
        with self.store.begin() as conn:
            self.record(conn, "plan_written", data={"plan": name, "source": source, "path": path.name})
        return PlanMade(name, source, str(path), str(self.loaded.path), self._list(path))

    def _list(self, path: Path) -> bool:
        """Add the file to `plans.files`; leave the configuration as it is where that cannot be done by adding to it."""
        config = self.loaded.path
        before = config.read_text("utf-8")
        text = listed(before, path.name)
        if text is None:
            return False
        write(config, text, new=False)
        try:
            load(config)
        except ConfigError:  # another file sets the same key
            write(config, before, new=False)
            return False
        return True


def text_of(name: str, files: tuple[Path, ...]) -> str:
    """Return the text of a plan as it was written: the operator's file of that name, else the shipped one.

    Raises `UsageError` where there is none.
    """
    for path in files:
        if load_plan(path).name == name:
            return path.read_text("utf-8-sig")
    for entry in resources.files("bridge.policy").joinpath("plans").iterdir():
        if entry.name.endswith(".yaml"):
            text = entry.read_text("utf-8")
            if parse_plan(text, entry.name).name == name:
                return text
    raise UsageError("there is no plan {name!r}", name=name)


def renamed(text: str, name: str, title: str, *, group: bool) -> str:
    """Return the text of a plan under a new name and title, everything else as it stands, comments too.

    Raises `UsageError` where a group plan is asked for and the plan bundles in its own way already.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            "{name!r} is no name of a plan; write small letters, digits, - and _, such as agency", name=name
        )
    lines = _without(text.splitlines(keepends=True), "title" if title else "")
    at = next(number for number, line in enumerate(lines) if re.match(r"name\s*:", line))
    head = [f"name: {name}\n"]
    if title:
        quoted = '"' + title.replace("\\", "\\\\").replace('"', '\\"') + '"'
        head.append(f"title: {{de: {quoted}, en: {quoted}}}\n")
    if group:
        if any(re.match(r"bundling\s*:", line) for line in lines):
            raise UsageError("this plan says already how it bundles; leave --group out")
        head.append(GROUP)
    return "".join([*lines[:at], *head, *lines[at + 1 :]])


def _without(lines: list[str], key: str) -> list[str]:
    """Return the lines without a key of the outermost level and what belongs to it."""
    kept, inside = [], False
    for line in lines:
        if line[:1] not in (" ", "\t", "\n", "#", ""):
            inside = bool(key) and re.match(rf"{key}\s*:", line) is not None
        if not inside:
            kept.append(line)
    return kept


def listed(config: str, file: str) -> str | None:
    """Return the text of a configuration with `file` in `plans.files`, all other lines as they stand; None: not possible that way."""
    before = _parsed(config)
    if not isinstance(before, dict):
        return None
    plans = before.get("plans")
    if not isinstance(plans, dict | None) or not isinstance((plans or {}).get("files"), list | None):
        return None
    lines = config.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    at = next((number for number, line in enumerate(lines) if re.match(r"plans\s*:\s*(#.*)?$", line)), None)
    if at is None:
        if plans is not None:
            return None
        made = [*lines, "\n", "plans:\n", f"  files: [{file}]\n"]
    else:
        made = _in_plans(lines, at, file, plans or {})
    text = "".join(made)
    after = _parsed(text)
    wanted = {**before, "plans": {**(plans or {}), "files": [*((plans or {}).get("files") or []), file]}}
    return text if after == wanted else None


def _in_plans(lines: list[str], at: int, file: str, plans: dict[str, Any]) -> list[str]:
    if "files" not in plans:
        return [*lines[: at + 1], f"  files: [{file}]\n", *lines[at + 1 :]]
    for number in range(at + 1, len(lines)):
        flow = re.match(r"(\s+files\s*:\s*\[)([^\]]*)(\].*\n)$", lines[number])
        if flow:
            inside = f"{flow[2]}, {file}" if flow[2].strip() else file
            return [*lines[:number], f"{flow[1]}{inside}{flow[3]}", *lines[number + 1 :]]
        if re.match(r"\s+files\s*:\s*(#.*)?$", lines[number]):
            return _after_items(lines, number + 1, file)
    return lines


def _after_items(lines: list[str], first: int, file: str) -> list[str]:
    """Return the lines with one more item behind the list that begins at `first`."""
    last, dash = first - 1, "    - "
    for number in range(first, len(lines)):
        item = re.match(r"(\s*- *)", lines[number])
        if item:
            last, dash = number, item[1]
        elif lines[number].strip() and not lines[number].lstrip().startswith("#"):
            break
    return [*lines[: last + 1], f"{dash}{file}\n", *lines[last + 1 :]]


def _parsed(text: str) -> Any:
    if too_deep(text):
        return None
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return None if too_many(found) else {} if found is None else found


def write(path: Path, text: str, *, new: bool) -> None:
    """Write a file whole or not at all. Raises `ConfigError` where it cannot be written, or is `new` and exists."""
    if new and path.exists():
        raise ConfigError("{path}: exists already; choose another name, or edit it", path=path, cause="exists")
    part = path.with_name(f".{path.name}.part")
    try:
        mode = 0o644 if new else path.stat().st_mode & 0o777
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            "{path}: cannot be written: {strerror}", path=path, strerror=error.strerror, cause="not_written"
        ) from error
