"""Plain names of codes: reasons, states, channels, levels."""

from bridge.cli.locale import knows, language, say, told
from bridge.model import Reason
from bridge.policy import words


def reason(code: str) -> str:
    """Return the plain words of a reason code, or the code itself."""
    try:
        return words.reason(Reason(code), language())
    except ValueError:
        return say(f"reason.{code}") if knows(f"reason.{code}") else code


def word(group: str, code: str) -> str:
    """Return the word for a state, channel or degree of automation."""
    return say(f"{group}.{code}") if knows(f"{group}.{code}") else code


def level(number: int | None, name: str) -> str:
    """Return `2 Mahnung`, or `-` before the first level; the name in the language of the moment."""
    return f"{number} {told(name)}".strip() if number else "-"
