"""Reading `bridge.yaml`: YAML 1.2 with line numbers, included files, values from the environment and from secret files.

The result is one plain document and, for every key in it, the place where a person wrote it, so that each later complaint can
name file and line.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bridge.config.problems import Place, Problem
from bridge.plain import too_deep, too_many
from bridge.words import NOTHING, Sentence

Path_ = tuple[str | int, ...]

PREFIX = "MAHNBRIDGE__"
"""Environment names that set a key: `MAHNBRIDGE__DATABASE__URL`; with `_FILE` at the end the value is read from that file."""

LARGEST_FILE = 2_000_000
LARGEST_SECRET = 20_000
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class _AsWritten(RoundTripConstructor):
    """Leaves dates and decimal numbers as the text that was written; the model reads them and can name the line."""


for _tag in ("timestamp", "float"):
    _AsWritten.add_constructor(f"tag:yaml.org,2002:{_tag}", RoundTripConstructor.construct_yaml_str)


@dataclass(slots=True)
class Document:
    """The merged configuration before validation. `outside` are the keys whose value came from environment or file."""

    data: dict[str, Any] = field(default_factory=dict)
    places: dict[Path_, Place] = field(default_factory=dict)
    outside: set[Path_] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path_) -> Place:
        """Return where `path`, or the nearest key above it, was written."""
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path) or Place(str(self.files[0]) if self.files else "bridge.yaml", 1)

    def folder(self, path: Path_) -> Path:
        """Return where relative paths in the value of `path` start: the folder of its file, for a variable the working folder."""
        file = self.place(path).file
        return Path.cwd() if isinstance(file, Sentence) else Path(file).resolve().parent

    def complain(
        self, path: Path_, text: Sentence, *, value: Any = None, hint: Sentence = NOTHING, shown: bool = True
    ) -> None:
        """Add one problem at `path`."""
        said = None if value is None or not shown else value
        self.problems.append(Problem(self.place(path), dotted(path), text, value=said, hint=hint))


def dotted(path: Path_) -> str:
    """Return `accounts.main.http.base_url` for a path of keys."""
    return ".".join(str(step) for step in path)


def read(path: Path, env: Mapping[str, str]) -> Document:
    """Read `path` and what it includes, then apply the environment. Problems are collected in the document."""
    document = Document()
    _read_file(document, path, ())
    _apply_environment(document, env)
    document.data = _resolve(document, document.data, (), env)
    return document


def _read_file(document: Document, path: Path, chain: tuple[Path, ...]) -> None:
    name = str(path)
    document.files.append(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            document.problems.append(
                Problem(Place(name, 1), "", Sentence("this file is too large to be a configuration"))
            )
            return
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        document.problems.append(
            Problem(Place(name, line), "", Sentence("this file is not UTF-8"), hint=Sentence("save it as UTF-8"))
        )
        return
    except OSError as error:
        document.problems.append(
            Problem(Place(name, None), "", Sentence("cannot be read: {strerror}", strerror=error.strerror or error))
        )
        return
    content = _parse(document, name, text)
    if content is None:
        return
    included = content.pop("include", None)
    _merge(document, document.data, content, (), name)
    for item in _include_list(document, name, included):
        target = (path.parent / item).resolve()
        if target in (*chain, path.resolve()):
            document.problems.append(Problem(Place(name, 1), "include", Sentence("{item} includes itself", item=item)))
            continue
        _read_file(document, target, (*chain, path.resolve()))


def _parse(document: Document, name: str, text: str) -> Any:
    if too_deep(text):
        document.problems.append(Problem(Place(name, 1), "", Sentence("too many brackets within each other")))
        return None
    try:
        yaml = YAML(typ="rt", pure=True)
        yaml.Constructor = _AsWritten
        content = yaml.load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found = re.search(r'duplicate key "?([^"\s]+)', str(error.problem))
        key = found.group(1) if found else ""
        document.problems.append(
            Problem(Place(name, line), key, Sentence("this key stands here twice"), hint=Sentence("remove one of them"))
        )
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        document.problems.append(
            Problem(
                Place(name, line), "", Sentence("not valid YAML: {problem}", problem=error.problem or error.context)
            )
        )
        return None
    except (YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        document.problems.append(
            Problem(Place(name, 1), "", Sentence("not valid YAML: {error}", error=" ".join(str(error).split())[:200]))
        )
        return None
    if content is None:
        return {}
    if too_many(content):
        document.problems.append(Problem(Place(name, 1), "", Sentence("its aliases repeat each other without end")))
        return None
    if not isinstance(content, dict):
        document.problems.append(Problem(Place(name, 1), "", Sentence("expected keys such as `accounts:`")))
        return None
    return content


def _include_list(document: Document, name: str, included: Any) -> list[str]:
    if included is None:
        return []
    items = included if isinstance(included, list) else [included]
    if not all(isinstance(item, str) for item in items):
        document.problems.append(
            Problem(
                Place(name, 1), "include", Sentence("expected file names"), hint=Sentence("include: [accounts.yaml]")
            )
        )
        return []
    return [str(item) for item in items]


def _line(node: Any, key: Any) -> int:
    lines: Any = getattr(node, "lc", None)
    try:
        return int((lines.item(key) if isinstance(node, list) else lines.key(key))[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return 1


def _merge(document: Document, into: dict[str, Any], node: Any, path: Path_, name: str) -> None:
    """Merge the mapping `node` into `into`; a key that two files set is a problem, never a silent winner."""
    for key, value in node.items():
        here, place = (*path, str(key)), Place(name, _line(node, key))
        if str(key) in into:
            if isinstance(into[str(key)], dict) and isinstance(value, dict):
                _merge(document, into[str(key)], value, here, name)
                continue
            before = document.places[here]
            document.problems.append(
                Problem(
                    place,
                    dotted(here),
                    Sentence("already set in {before}", before=before),
                    hint=Sentence("keep one of them"),
                )
            )
            continue
        document.places[here] = place
        into[str(key)] = _plain(document, value, here, name)


def _plain(document: Document, node: Any, path: Path_, name: str) -> Any:
    if isinstance(node, dict):
        inner: dict[str, Any] = {}
        _merge(document, inner, node, path, name)
        return inner
    if isinstance(node, list):
        items = []
        for index, item in enumerate(node):
            here = (*path, index)
            document.places[here] = Place(name, _line(node, index))
            items.append(_plain(document, item, here, name))
        return items
    if isinstance(node, bool) or node is None:
        return node
    for kind in (str, int):
        if isinstance(node, kind):
            return kind(node)
    return node


# ------------------------------------------------------------------------------------------------- environment, secrets


def _apply_environment(document: Document, env: Mapping[str, str]) -> None:
    for name in sorted(env):
        if not name.upper().startswith(PREFIX):
            continue
        from_file = name.upper().endswith("_FILE")
        keys = name[len(PREFIX) : -5 if from_file else None].split("__")
        if not all(keys):
            document.problems.append(
                Problem(
                    Place(Sentence("environment {name}", name=name), None),
                    "",
                    Sentence("expected KEY__KEY in the name"),
                )
            )
            continue
        value = (
            _secret_file(document, env[name], Place(Sentence("environment {name}", name=name), None), "")
            if from_file
            else env[name]
        )
        if value is not None:
            _set(document, [key.lower() for key in keys], value, Place(Sentence("environment {name}", name=name), None))


def _set(document: Document, keys: list[str], value: str, place: Place) -> None:
    node: Any = document.data
    path: Path_ = ()
    for index, wanted in enumerate(keys):
        # environment names have no dashes and no capitals: take the key that is already there
        key = next((have for have in node if have.lower().replace("-", "_") == wanted), wanted)
        path = (*path, key)
        if index == len(keys) - 1:
            node[key] = _scalar(value)
            document.places[path] = place
            document.outside.add(path)
            return
        document.places.setdefault(path, place)
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            document.problems.append(
                Problem(place, dotted(path), Sentence("is a single value in the file, not a group of keys"))
            )
            return


def _scalar(value: str) -> Any:
    """Read an environment value: lists and maps may be written as YAML flow (`[a, b]`), everything else is text."""
    if value[:1] in "[{" and value[-1:] in "]}" and value and not too_deep(value):
        try:
            found = YAML(typ="safe", pure=True).load(value)
        except (YAMLError, KeyError, TypeError, ValueError, RecursionError):
            return value
        return value if too_many(found) else found
    return value


def _resolve(document: Document, node: Any, path: Path_, env: Mapping[str, str]) -> Any:
    """Replace `${NAME}` in every text by the environment's value, or by the content of the file that `NAME_FILE` names."""
    if isinstance(node, dict):
        return {key: _resolve(document, value, (*path, key), env) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolve(document, value, (*path, index), env) for index, value in enumerate(node)]
    if not isinstance(node, str) or "${" not in node:
        return node

    def replace(found: re.Match[str]) -> str:
        name = found.group(1)
        if not _NAME.match(name):
            document.complain(
                path,
                Sentence("${{{name}}} is no name of an environment variable", name=name),
                hint=Sentence("write ${NAME}"),
            )
            return ""
        if name in env:
            return env[name]
        if f"{name}_FILE" in env:
            value = _secret_file(document, env[f"{name}_FILE"], document.place(path), dotted(path))
            return value or ""
        missing = Sentence("the environment variable {name} is not set", name=name)
        hint = Sentence("set {name}, or {name}_FILE to the path of a file that holds it", name=name)
        document.problems.append(Problem(document.place(path), dotted(path), missing, hint=hint, unset=True))
        return ""

    document.outside.add(path)
    return _REFERENCE.sub(replace, node)


def _secret_file(document: Document, file: str, place: Place, key: str) -> str | None:
    try:
        with Path(file).open("rb") as handle:
            content = handle.read(LARGEST_SECRET + 1)
        if len(content) > LARGEST_SECRET:
            document.problems.append(Problem(place, key, Sentence("{file} is too large to be a secret", file=file)))
            return None
        return content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        document.problems.append(Problem(place, key, Sentence("{file} is no text (UTF-8)", file=file)))
    except OSError as error:
        document.problems.append(
            Problem(
                place, key, Sentence("{file} cannot be read: {strerror}", file=file, strerror=error.strerror or error)
            )
        )
    return None


def read_secret_files(document: Document, is_secret: Callable[[Path_], bool]) -> None:
    """Replace `password_file: /run/secrets/x` by `password: <content>` wherever `password` is a secret of the schema."""
    for path in [path for path in document.places if str(path[-1]).endswith("_file")]:
        target = (*path[:-1], str(path[-1]).removesuffix("_file"))
        if not is_secret(target):
            continue
        node: Any = document.data
        for step in path[:-1]:
            node = node[step]
        file = node.pop(path[-1], None)
        if target[-1] in node:
            document.complain(
                path,
                Sentence("both {target} and {path} are set", target=target[-1], path=path[-1]),
                hint=Sentence("keep one of them"),
            )
            continue
        value = _secret_file(document, str(document.folder(path) / str(file)), document.place(path), dotted(path))
        document.places[target] = document.place(path)
        document.outside.add(target)
        node[target[-1]] = value if value is not None else ""
