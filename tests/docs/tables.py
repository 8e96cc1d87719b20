"""From a JSON schema to one table per section: key, type, default, meaning."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.policy.plan import EscalationPlan

Node = dict

KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "keys"}
FORMATS = {"date": "date", "time": "time", "path": "path", "password": "secret", "email": "e-mail address"}
TIME_OF_DAY = r"^\d{1,2}:\d{2}$"

PLAN_KEYS = {
    "EscalationPlan.name": "Name by which `plans.default` and `plans.assign` call it; small letters, digits, `-` and `_`.",
    "EscalationPlan.title": "Title for people, by language.",
    "EscalationPlan.description": "What it is for; for colleagues only.",
    "EscalationPlan.language": "Language to which debtors fall back for whose language there is no text.",
    "EscalationPlan.minimum_interval_days": "Least days between two messages to one debtor; empty: `dunning.minimum_interval_days`.",
    "EscalationPlan.skip_levels": "An invoice that is late enough for a higher level starts there instead of at level 1.",
    "EscalationPlan.bundling": "Whether several claims of one debtor go into one message.",
    "EscalationPlan.levels": "The levels in their order; their numbers are their positions, from 1.",
    "DunningLevel.name": "Name of the level, one for all languages or one by language.",
    "DunningLevel.trigger": "From when the level counts.",
    "DunningLevel.grace_days": "Days that are waited beyond the trigger day (Karenztage).",
    "DunningLevel.time": "Not before this local time of day, such as `09:30`.",
    "DunningLevel.weekdays": "Days of the week on which it may go out.",
    "DunningLevel.automation": "How far it goes without a person: `propose` (a person approves), `create` (draft at the provider), "
    "`complete` (final at the provider, not sent), `send`. `dunning.automation` limits it further.",
    "DunningLevel.variants": "Ways to deliver it; write either these, or `channels` and `document` on the level itself.",
    "DunningLevel.term_days": "New term of payment, in days.",
    "DunningLevel.fee": "Reminder fee (Mahngebühr).",
    "DunningLevel.type": "`last`: the last reminder, after which nothing automatic follows; last level only.",
    "DunningLevel.is_legal_dunning": "It puts the debtor in default (Mahnung, section 286 BGB), not only a friendly reminder.",
    "DunningLevel.repeat": "Repetition of the last level.",
    "DunningLevel.recipients": "Who gets the mail besides the debtor's address.",
    "DunningLevel.tag": "Tag that the invoice gets at the provider.",
    "DunningLevel.texts": "Subject and body by language (`de`, `en`, `de-AT`).",
    "Variant.name": "Name by which a person chooses it.",
    "Variant.document": "`provider`: the provider's own reminder; `silent`: our message and a reminder record at the provider that is "
    "not sent; `none`: our message alone. Default: `provider` for the provider's channels and for `email` and `post`, else `none`.",
    "Variant.standard": "The one that automatic runs use; needed on exactly one where there are several.",
    "Text.subject": "One line.",
    "Text.body": "The message; variables as in `{{ invoice_number }}`, listed below.",
    "Wording.subject": "One line.",
    "Wording.body": "The message.",
    "Repeat.every_days": "Days between two repetitions.",
    "Repeat.limit": "At most so many repetitions.",
    "RecipientRule.roles": "Contacts of the customer with these roles.",
    "RecipientRule.all_addresses": "Every stored e-mail address of the customer.",
    "RecipientRule.cc": "Fixed visible copies.",
    "RecipientRule.bcc": "Fixed hidden copies.",
    "Bundling.when": "`from_first`: every level; `from_last`: only the last level; `never`: one message for each invoice.",
    "Bundling.tags": "Only customers with one of these tags; empty: all.",
    "Bundling.except_terms": "Invoices with one of these terms of payment, in days, stay single.",
}
"""The meaning of the keys of a plan that carry no description of their own."""


@dataclass(frozen=True)
class Row:
    """One key."""

    path: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Section:
    """The keys of one mapping of the file, and what the mapping stands for."""

    path: str
    note: str
    about: str
    rows: tuple[Row, ...]


class Schema:
    """A JSON schema that is walked from its root; `meanings` are by `Model.key` where the schema says nothing."""

    def __init__(self, root: Node, meanings: Mapping[str, str] | None = None, *, placeholder: str = "NAME"):
        self.root, self.meanings, self.placeholder = root, meanings or {}, placeholder
        self.used: set[str] = set()

    def sections(self, path: str = "", node: Node | None = None, note: str = "", about: str = "") -> Iterator[Section]:
        """Yield the section of `node`, then those below it."""
        node = self.root if node is None else node
        rows, below = [], []
        for key, info in node.get("properties", {}).items():
            here = f"{path}.{key}" if path else key
            inner = list(self._inner(here, info))
            below += inner
            default = self._default(info, inner)
            if key in node.get("required", []):
                default = "**needed**"
            elif {"required": [key]} in node.get("oneOf", ()):
                default = "**one of both**"
            rows.append(Row(here, self._kind(info), default, self._meaning(node, key)))
        below += [
            (f"{path}.settings", self._at(part["then"]["properties"]["settings"]), f"connector: {name}")
            for part in node.get("allOf", ())
            for name in [part["if"]["properties"]["connector"]["const"]]
        ]
        if rows:
            yield Section(path, note, about or _first(node.get("description", "")), tuple(rows))
        for where, inside, extra in below:
            yield from self.sections(where, inside, extra)

    def _at(self, info: Node) -> Node:
        name = info["$ref"].rsplit("/", 1)[-1]
        return {"title": name, **self.root["$defs"][name], "model": name}

    def _inner(self, path: str, info: Node) -> Iterator[tuple[str, Node, str]]:
        """Yield path, schema and condition of each mapping that can stand at this key."""
        if "$ref" in info:
            node = self._at(info)
            if "enum" not in node:
                yield path, node, ""
        for one in info.get("anyOf", ()):
            yield from self._inner(path, one)
        if "discriminator" in info:
            for name, ref in info["discriminator"]["mapping"].items():
                yield path, self._at({"$ref": ref}), f"{info['discriminator']['propertyName']}: {name}"
        if info.get("type") == "array":
            yield from self._inner(f"{path}[]", info["items"])
        for inside in [*info.get("patternProperties", {}).values(), info.get("additionalProperties")]:
            if isinstance(inside, dict):
                yield from self._inner(f"{path}.{self.placeholder}", inside)
        for name, inside in info.get("properties", {}).items():
            yield from self._inner(f"{path}.{name}", inside)

    def _kind(self, info: Node) -> str:
        if "$ref" in info:
            node = self._at(info)
            return _choice(node["enum"]) if "enum" in node else "keys below"
        if "const" in info:
            return f"`{info['const']}`"
        if "enum" in info:
            return _choice(info["enum"])
        if "discriminator" in info:
            return "keys below"
        if "anyOf" in info:
            parts = [one for one in info["anyOf"] if one.get("type") != "null"]
            if {one.get("type") for one in parts} == {"number", "string"}:
                return "decimal number"
            kinds = [self._kind(one) for one in parts]
            return " or ".join(dict.fromkeys(kinds))
        if info.get("type") == "array":
            return f"list of {self._kind(info['items'])}" if "items" in info else "list"
        if info.get("type") == "object":
            inside = [*info.get("patternProperties", {}).values(), info.get("additionalProperties")]
            kinds = [self._kind(one) for one in inside if isinstance(one, dict)]
            return f"map to {kinds[0]}" if kinds and kinds[0] != "keys below" else "keys below"
        if info.get("pattern") == TIME_OF_DAY:
            return "time of day"
        return FORMATS.get(info.get("format", ""), KINDS.get(info.get("type", ""), "text")) + _bounds(info)

    def _default(self, info: Node, inner: list) -> str:
        default = info.get("default")
        if (inner and default in (None, {}, [])) or (isinstance(default, dict) and inner):
            return ""
        if default in (None, "", [], {}) and default is not False:
            return ""
        if isinstance(default, str):
            return f"`{default}`"
        return f"`{json.dumps(default, ensure_ascii=False)}`"

    def _meaning(self, node: Node, key: str) -> str:
        info = node["properties"][key]
        name = f"{node.get('model') or node.get('title', '')}.{key}"
        if name in self.meanings:
            self.used.add(name)
            return self.meanings[name]
        said = info.get("description") or ""
        if not said and "$ref" in info:
            said = _first(self._at(info).get("description", ""))
        if not said and "const" in info:
            said = "Which kind this is."
        if not said and "discriminator" in info:
            said = "How the account proves who it is: one of the kinds below."
        return _sentence(" ".join(said.split()))


def plan_schema() -> Schema:
    """Return the schema of a plan file, with the short forms of a level."""
    root = EscalationPlan.model_json_schema()
    level = root["$defs"]["DunningLevel"]
    level["required"] = [key for key in level["required"] if key != "variants"]
    return Schema({**root, "model": "EscalationPlan"}, PLAN_KEYS, placeholder="LANGUAGE")


def text(sections: Iterator[Section], *, top: str, level: int = 3) -> str:
    """Return the sections as Markdown."""
    parts = []
    for section in sections:
        title = f"`{section.path}`" if section.path else top
        if section.note:
            title += f" with `{section.note}`"
        parts.append(f"{'#' * level} {title}\n")
        if section.about:
            parts.append(_sentence(section.about) + "\n")
        parts.append("| key | type | default | meaning |\n|---|---|---|---|")
        parts += [
            f"| `{row.path.rsplit('.', 1)[-1]}` | {cell(row.kind)} | {cell(row.default)} | {cell(row.meaning)} |"
            for row in section.rows
        ]
        parts.append("")
    return "\n".join(parts)


def cell(words: str) -> str:
    """Return words that fit into a cell of a table."""
    return words.replace("|", "\\|").replace("\n", " ")


def _choice(values: list) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _bounds(info: Node) -> str:
    low, high = info.get("minimum", info.get("exclusiveMinimum")), info.get("maximum")
    if low is None and high is None:
        return ""
    if high is None:
        return f" ≥ {low:g}" if "minimum" in info else f" > {low:g}"
    return f" {low:g}–{high:g}" if "minimum" in info else f" > {low:g}, ≤ {high:g}"


def _first(words: str) -> str:
    return " ".join(words.split("\n\n", maxsplit=1)[0].split())


def _sentence(words: str) -> str:
    first = words.partition(" ")[0]
    start = words[:1] if "_" in first or first.endswith(":") else words[:1].upper()
    return start + words[1:] + ("" if not words or words.endswith((".", ":", "!", ")")) else ".")
