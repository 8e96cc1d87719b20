"""Texts for people, in German and English. German first: it is the language where nothing says otherwise."""

import importlib
import os
from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from typing import Any

LANGUAGES = ("de", "en")
TOPICS = (
    "plans",
    "holds",
    "links",
    "files",
    "approval",
    "audit",
    "operations",
    "tasks",
    "returns",
    "support",
)
"""Catalogues beside the main one of each language."""

_chosen: list[str] = []
_zones: list[tzinfo] = []


def language() -> str:
    """Return the language of the moment: chosen by `speak`, else by the locale, else German."""
    if _chosen:
        return _chosen[-1]
    for name in ("MAHNBRIDGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value[:2].lower() in LANGUAGES:
            return value[:2].lower()
        if value and value not in ("C", "POSIX") and not value.startswith("C."):
            return "en"
    return "de"


def located() -> bool:
    """Return whether a person or the locale has named a language, so that the configuration need not."""
    return bool(_chosen) or any(
        os.environ.get(name, "")[:2].lower() in LANGUAGES
        for name in ("MAHNBRIDGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    )


def speak(lang: str) -> None:
    """Choose the language of this process."""
    _chosen[:] = [lang]


def zone() -> tzinfo | None:
    """Return the time zone in which instants are told; None: that of this machine, until a configuration was read."""
    return _zones[-1] if _zones else None


def tell_time_in(where: tzinfo) -> None:
    """Choose the time zone in which instants are told."""
    _zones[:] = [where]


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """Return all texts of a language."""
    parts = [
        importlib.import_module(f"bridge.cli.locale.{name}").TEXTS
        for name in (lang, *(f"{one}_{lang}" for one in TOPICS))
    ]
    return {key: text for part in parts for key, text in part.items()}


def say(key: str, /, **values: Any) -> str:
    """Return the text of `key` with `values` filled in; for a `count` of one that of `key.one`, where there is one."""
    texts = catalogue(language())
    if values.get("count") == 1 and f"{key}.one" in texts:
        key = f"{key}.one"
    text = texts.get(key, key)
    if not values:
        return text
    return text.format(**{name: told(value) if isinstance(value, str) else value for name, value in values.items()})


def told(text: str) -> str:
    """Return a sentence in the language of the moment, any other text as it is."""
    if type(text) is str:
        return text
    from bridge.words import tell  # noqa: PLC0415  only where something was said

    return tell(text, language())


def knows(key: str) -> bool:
    """Return whether there is a text for `key`."""
    return key in catalogue(language())
