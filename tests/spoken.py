"""Records as JSON with their sentences in plain English, so that expected files can be read by people."""

from typing import Any

from bridge.words import stored_text


def spoken(value: Any) -> Any:
    """Return JSON in which each stored sentence, template with facts, is its English text."""
    if isinstance(value, dict):
        return {key: spoken(one) for key, one in value.items()}
    if isinstance(value, list):
        return [spoken(one) for one in value]
    return str(stored_text(value)) if isinstance(value, str) else value
