"""Headers with words of any script, as encoded words (RFC 2047): each whole in itself, and no space between them lost.

The standard library drops the space between two words that it encodes one after the other, and leaves the first line of a
header without words where the first one is long, which some programs take for a space, and some for nothing.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.headerregistry import Address
from email.policy import EmailPolicy
from typing import Any

_LINE = 76
_WORD = 60
"""Characters of a line, and of a word in it: the first one always stands beside the header's name."""

_AFTER_SPACE = re.compile(r"(?<= )")
_START, _END = "=?utf-8?{}?", "?="
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
"""What an encoded word may say as it is, in a name too (RFC 2047 section 5)."""


class _Policy(EmailPolicy):
    """Writes subjects and senders by `encoded`, and all else as the library does."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        stored = super().header_store_parse(name, value)
        return (name, value) if name == "Subject" else stored  # nothing in a subject is read as encoded already

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == "Subject":
            return self._lines(name, _subject(str(value)))
        if name == "From" and not str(value).isascii():
            return self._lines(name, _senders(value.addresses))
        if name in ("In-Reply-To", "References"):
            return self._lines(name, [str(value)])
        return super().fold_binary(name, value)

    def _lines(self, name: str, words: Iterable[str]) -> bytes:
        first, *others = words
        lines = [f"{name}: {first}"]
        for word in others:
            if len(lines[-1]) + 1 + len(word) > _LINE:
                lines.append("")
            lines[-1] += f" {word}"
        return "".join(line + self.linesep for line in lines).encode("ascii")


def _subject(text: str) -> list[str]:
    words = text.split(" ")
    plain = text.isascii() and text.isprintable() and "=?" not in text and all(0 < len(one) <= _WORD for one in words)
    return words if plain else encoded(text)


def _senders(addresses: Sequence[Address]) -> Iterator[str]:
    for at, one in enumerate(addresses, 1):
        yield from encoded(one.display_name) if one.display_name else ()
        yield f"<{one.addr_spec}>" + ("," if at < len(addresses) else "")


def encoded(text: str) -> list[str]:
    """Return `text` as encoded words, in whichever of the two ways is shorter; no sign is split between two of them, and no word but a very long one."""
    return min(_cut(text, "q", _quoted), _cut(text, "b", _base64), key=lambda words: sum(map(len, words)))


def _quoted(data: bytes) -> str:
    return "".join("_" if one == 0x20 else chr(one) if one in _SAFE else f"={one:02X}" for one in data)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _cut(text: str, way: str, write: Callable[[bytes], str]) -> list[str]:
    start = _START.format(way)
    room = _WORD - len(start) - len(_END)
    words, part = [], b""
    for piece in _AFTER_SPACE.split(text):
        if part and len(write(part + piece.encode())) > room:
            words.append(part)
            part = b""
        for sign in piece:
            if part and len(write(part + sign.encode())) > room:
                words.append(part)
                part = b""
            part += sign.encode()
    return [start + write(one) + _END for one in (*words, part)]


POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=78)
"""How our mails are written: seven bits, short lines."""
