"""Reading plans from YAML: every mistake names file, line, field, value and what would be right."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bridge.errors import ConfigError
from bridge.plain import too_deep, too_many
from bridge.policy.plan import EscalationPlan
from bridge.policy.texts import suggestion
from bridge.words import Sentence, listed
from bridge.words.misfits import misfit

LARGEST = 1_000_000
"""Characters of a plan file."""

EXAMPLES = {
    "name": "name: agency",
    "levels": "levels: with one or more of - name:",
    "trigger": "trigger: {after_due: 7}",
    "subject": 'subject: "Rechnung {{ invoice_number }}"',
    "body": 'body: "Bitte zahlen Sie {{ total }} bis zum {{ deadline }}."',
    "channels": "channels: [mail]",
    "every_days": "every_days: 14",
    "limit": "limit: 3",
}
"""How keys that are needed can be written."""

PATTERNS = {
    r"^[a-z0-9][a-z0-9_-]{0,63}$": Sentence("expected small letters, digits, - and _, such as agency"),
    r"^[a-z]{2}(-[A-Z]{2})?$": Sentence("expected a language such as de, or one of a country such as de-AT"),
    r"^[^@\s]+@[^@\s]+$": Sentence("expected an e-mail address such as accounts@example.com"),
}
"""What would be right, by the pattern that does not fit."""

Location = tuple[int | str, ...]


class BadPlan(ConfigError):
    """A plan file is wrong; `problems` has one line for each mistake."""

    cause = "plan"

    def __init__(self, problems: Sequence[Sentence]) -> None:
        self.problems = tuple(problems)
        super().__init__(listed(problems, "\n"))


class _Exact(RoundTripConstructor):
    """Numbers with a point as exact decimals, dates and times as the text that stands there."""


def _exact(_: Any, node: Any) -> Decimal | str:
    try:
        return Decimal(node.value.replace("_", ""))
    except InvalidOperation:
        return str(node.value)


_Exact.add_constructor("tag:yaml.org,2002:float", _exact)
_Exact.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


@lru_cache(maxsize=100)
def parse_plan(text: str, source: str) -> EscalationPlan:
    """Return the plan that `text` describes, parsed once; `source` names the file in errors. Raises `BadPlan`."""
    if len(text) > LARGEST:
        raise BadPlan(
            [
                Sentence(
                    "{source}: longer than {largest} characters; no plan is that long", source=source, largest=LARGEST
                )
            ]
        )
    data = _parse(text, source)
    try:
        return EscalationPlan.model_validate(data)
    except ValidationError as error:
        problems = sorted({_problem(one, data, source) for one in error.errors() if not _follows(one)})
        raise BadPlan([text for _, text in problems]) from error


def _parse(text: str, source: str) -> Any:
    if too_deep(text):
        raise BadPlan([Sentence("{source}: too many brackets within each other", source=source)])
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Exact
    try:
        data = yaml.load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadPlan(
            [Sentence("{source}:{line}: a key stands here twice; remove one of them", source=source, line=line)]
        ) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BadPlan(
            [
                Sentence(
                    "{source}:{line}: not valid YAML: {error}",
                    source=source,
                    line=line,
                    error=error.problem or error.context,
                )
            ]
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadPlan(
            [Sentence("{source}: not valid YAML: {error}", source=source, error=" ".join(str(error).split())[:200])]
        ) from error
    if too_many(data):
        raise BadPlan([Sentence("{source}: its aliases repeat each other without end", source=source)])
    if not isinstance(data, Mapping):
        raise BadPlan([Sentence("{source}:1: a plan is a list of keys such as name: and levels:", source=source)])
    return data


def _follows(error: Any) -> bool:
    """Return whether this mistake only follows from others: a list counts as empty because its items were refused."""
    return error["type"] == "too_short" and bool(error["input"])


def _problem(error: Any, data: Any, source: str) -> tuple[int, Sentence]:
    """Return line and words of one mistake that pydantic found."""
    words = misfit(error)
    location = _written(tuple(error["loc"]), words, data)
    line = _line(data, location)
    field = ".".join(str(part + 1) if isinstance(part, int) else part for part in location)
    where = Sentence("{source}:{line}: {field}", source=source, line=line, field=field or Sentence("plan"))
    kind = error["type"]
    if kind == "extra_forbidden":
        name = str(location[-1])
        known = _known(location[:-1])
        hint = suggestion(name, known) or (Sentence("; known are {known}", known=", ".join(known)) if known else "")
        return line, Sentence("{where}: {text}{hint}", where=where, text=words, hint=hint)
    if kind == "missing":
        example = EXAMPLES.get(str(location[-1]))
        more = Sentence("; write it such as {example}", example=example) if example else ""
        return line, Sentence("{where}: {text}{more}", where=where, text=words, more=more)
    if kind == "string_pattern_mismatch":
        words = PATTERNS.get(error["ctx"]["pattern"], words)
    value = error["input"]
    shown = "" if isinstance(value, Mapping | list | tuple | BaseModel) else f" = {_short(value)}"
    return line, Sentence("{where}{shown}: {text}", where=where, shown=shown, text=words)


def _written(location: Location, words: str, data: Any) -> Location:
    """Return where a mistake stands in the file, which may be more exact than where it was found, or a short form."""
    if len(location) >= 4 and location[2] == "variants" and "variants" not in data["levels"][location[1]]:
        location = (*location[:2], *(location[4:] or ("channels",)))
    about = re.match(r"level (\d+)\b", words)
    if not location and about:
        return ("levels", int(about.group(1)) - 1)
    named = re.match(r"(\w+): ", words)
    if named and location[:1] == ("levels",):
        return (*location, named.group(1))
    return location


def _short(value: Any) -> str:
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _line(data: Any, location: Location) -> int:
    """Return the line of the innermost part of `location` that stands in the file."""
    line = 1
    node = data
    for part in location:
        lines = getattr(node, "lc", None)
        try:
            place = lines.item(part) if isinstance(node, list) else lines.key(part)  # type: ignore[union-attr]
            line = int(place[0]) + 1
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def _known(location: Location) -> list[str]:
    """Return the keys that may stand at `location`, for a suggestion."""
    model: type[BaseModel] = EscalationPlan
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    names = list(model.model_fields)
    return [*names, "channels", "document"] if "variants" in names else names


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def load_plan(path: Path) -> EscalationPlan:
    """Return the plan in the file at `path`. Raises `BadPlan`, also where it cannot be read."""
    return parse_plan(_read(path), str(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPlan([Sentence("{path}: is no UTF-8 text", path=path)]) from error
    except OSError as error:
        raise BadPlan([Sentence("{path}: cannot be read: {strerror}", path=path, strerror=error.strerror)]) from error


def is_plan(path: Path) -> bool:
    """Return whether the file is a plan and not a configuration: it has levels. Raises `BadPlan` where it is no YAML."""
    return "levels" in _parse(_read(path), str(path))


def load_plans(paths: Iterable[Path]) -> dict[str, EscalationPlan]:
    """Return the starter plans and those in the files at `paths`, by name; a file replaces a starter plan of its name.

    Raises `BadPlan` with the mistakes of all files.
    """
    plans = dict(starter_plans())
    problems: list[Sentence] = []
    files: dict[str, Path] = {}
    for path in sorted(paths):
        try:
            plan = load_plan(path)
        except BadPlan as error:
            problems += error.problems
            continue
        if plan.name in files:
            problems.append(
                Sentence(
                    "{path}: the plan {plan!r} already stands in {file}; rename one of them",
                    path=path,
                    plan=plan.name,
                    file=files[plan.name],
                )
            )
        files[plan.name] = path
        plans[plan.name] = plan
    if problems:
        raise BadPlan(problems)
    return plans


@lru_cache(maxsize=1)
def starter_plans() -> Mapping[str, EscalationPlan]:
    """Return the plans that ship with the program, by name."""
    plans = {}
    for entry in sorted(resources.files("bridge.policy").joinpath("plans").iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".yaml"):
            plan = parse_plan(entry.read_text(encoding="utf-8"), entry.name)
            plans[plan.name] = plan
    return plans
