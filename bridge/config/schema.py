"""The JSON Schema of `bridge.yaml`, for editors and for the documentation."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bridge.config import plugins
from bridge.config.loading import settings_model
from bridge.config.model import Account, Config

TITLE = "mahnbridge bridge.yaml"
_REF = "#/$defs/"


def schema() -> dict[str, Any]:
    """Return the JSON Schema with the settings of every installed connector and channel."""
    parts: dict[tuple[str, str], type[BaseModel]] = {
        (group, name): settings_model(group, name)
        for group in (plugins.CONNECTORS, plugins.CHANNELS)
        for name in plugins.names(group)
    }
    models: list[type[BaseModel]] = [Config, Account, *parts.values()]
    refs, top = models_json_schema(
        [(model, "validation") for model in models], by_alias=True, ref_template=_REF + "{model}"
    )
    definitions: dict[str, Any] = top["$defs"]
    named = {model: refs[(model, "validation")]["$ref"].removeprefix(_REF) for model in models}
    _accounts(
        definitions[named[Account]],
        {name: named[model] for (group, name), model in parts.items() if group == plugins.CONNECTORS},
    )
    root = definitions.pop(named[Config])
    root["properties"]["channels"] = {
        "type": "object",
        "description": root["properties"]["channels"].get("description", ""),
        "properties": {
            name: {"$ref": _REF + named[model]} for (group, name), model in parts.items() if group == plugins.CHANNELS
        },
        "additionalProperties": False,
    }
    root["properties"]["include"] = {
        "description": "Further files that are read as part of this one.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    _secret_files(root, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": TITLE,
        **{key: value for key, value in root.items() if key != "title"},
        "$defs": dict(sorted(definitions.items())),
    }


def _accounts(account: dict[str, Any], connectors: dict[str, str]) -> None:
    """Let the settings of an account depend on its connector."""
    account["properties"]["connector"] = {**account["properties"]["connector"], "examples": sorted(connectors)}
    account["properties"]["settings"] = {"type": "object", "description": "The connector's own settings."}
    account["allOf"] = [
        {
            "if": {"properties": {"connector": {"const": name}}},
            "then": {"properties": {"settings": {"$ref": _REF + model}}},
        }
        for name, model in sorted(connectors.items())
    ]


def _secret_files(root: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Add `NAME_file` beside every secret: the path of a file that holds it."""
    for node in (root, *definitions.values()):
        properties = node.get("properties", {})
        for name in [name for name, info in properties.items() if _is_secret(info)]:
            properties[f"{name}_file"] = {
                "type": "string",
                "description": f"Path of a file that holds {name} (Docker secret).",
            }
            if name in node.get("required", []):
                node["required"] = [one for one in node["required"] if one != name]
                node["oneOf"] = [{"required": [name]}, {"required": [f"{name}_file"]}]


def _is_secret(info: dict[str, Any]) -> bool:
    return info.get("format") == "password" or any(one.get("format") == "password" for one in info.get("anyOf", ()))
