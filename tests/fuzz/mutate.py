"""Inputs made of good ones: bytes flipped, pieces dropped, doubled, swapped, and words put in that have broken parsers before."""

import json
from random import Random

WORDS = [
    b"", b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b"\t", b"'", b'"', b'""', b";", b",", b"<", b"&", b"&x;", b"]]>", b"<!DOCTYPE a>",
    b"{", b"}", b"[", b"]", b"{{", b"}}", b"{% for a in items %}", b"{% endfor %}", b"*a", b"&a ", b"!!python/object:os.system", b"<<: *a", b"- ", b": ", b"? ", b"|", b">",
    b"null", b"true", b"NaN", b"Infinity", b"-0", b"1e400", b"1e-400", b"9" * 400, b"0x10", b"1_000", b"-1", b"0", b"1.234", b"1.234,56", b"12,00-", b"(12,00)",
    b"2026-02-30", b"31.02.2026", b"0000-00-00", b"9999-12-31", b"0001-01-01T00:00:00+14:00", b"2026-09-01T08:00:00Z", b"soon", b"=cmd()", b"../../etc/passwd", b"%00", b"%",
    "\u202e".encode(), "\u0000".encode(), "ß".encode("cp1252"), "²".encode(), "١".encode(), "😀".encode(), "\ud7ff".encode(), b"a" * 5000, b"(" * 300, b"[" * 300, b'{"a":' * 100,
    b"Content-Type: message/delivery-status", b"--", b"=?utf-8?q?=ff?=", b"=?x?b?////?=", b"multipart/report", b"boundary=", b"mb:0123456789ab",
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 1, 10**30, 1.5, -0.0, "", " ", "0", "-1", "-0", "soon", "2026-02-30", "9999-12-31", "9999-12-31T23:59:59-14:00", "0001-01-01", "0001-01-01T00:00:00+14:00",
    "0000-00-00", "2027-02-29", "2026-09-01T08:00:00+24:00", "2026-W36-2", "20260901", "24:00", "1e400", "1E+9", "9" * 400, "1" * 5000, "a" * 3000, "\0", "\ud800", "²", "١٢", "NaN", "Infinity", "-Infinity",
    [], {}, [[]], [None], {"id": None}, {"id": "../x"}, [{"id": 1}, {"id": 1}], "../../x", "<b>", "=1+1", "\u202e\u2066", "\x1b[2J", "a\r\nb", "USD", "eur", "XXX", "E\u0301UR",
]  # fmt: skip
"""What is put in the place of a value of JSON."""

RAW = [
    "1e400", "-1e400", "1e-400", "1E+2", "-0", "-0.0", "0.00000000000000000001", "9" * 400, "9" * 4200, "1.0000000000000001", "NaN", "Infinity", "-Infinity", '{"id": 1, "id": 2}',
    '{"a":' * 62 + "1" + "}" * 62, '{"a":' * 80 + "1" + "}" * 80, "[" * 3000 + "]" * 3000, "[" * 60 + "]" * 60, "[" * 450 + "]" * 450, '{"a":' * 300 + "1" + "}" * 300, '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', "00", "+1", "0x1", "'a'", "",
]  # fmt: skip
"""What no writer of JSON would write in the place of a value."""
_MARK = "raw value stands here"


def mutated(random: Random, seeds: list[bytes]) -> bytes:
    """Return a seed with up to eight changes, now and then as it is, or bytes of no origin at all."""
    if random.random() < 0.02:
        return random.randbytes(random.randrange(400))
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 5, 5, 8))):
        _CHANGES[random.randrange(len(_CHANGES))](random, data, seeds)
    return bytes(data[:20_000])


def _flip(random: Random, data: bytearray, _: list[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.randrange(256)


def _insert(random: Random, data: bytearray, _: list[bytes]) -> None:
    at = random.randrange(len(data) + 1)
    data[at:at] = random.choice(WORDS)


def _drop(random: Random, data: bytearray, _: list[bytes]) -> None:
    at = random.randrange(len(data) + 1)
    del data[at : at + random.randrange(1, 40)]


def _double(random: Random, data: bytearray, _: list[bytes]) -> None:
    at = random.randrange(len(data) + 1)
    piece = data[at : at + random.randrange(1, 200)]
    data[at:at] = piece * random.choice((1, 2, 5))


def _replace(random: Random, data: bytearray, _: list[bytes]) -> None:
    """Put a word in the place of what stands between two signs: a cell, a value, an element."""
    signs = [at for at, byte in enumerate(data) if byte in b';,"<>:\n= ']
    if len(signs) > 1:
        at = random.randrange(len(signs) - 1)
        data[signs[at] + 1 : signs[at + 1]] = random.choice(WORDS)


def _cross(random: Random, data: bytearray, seeds: list[bytes]) -> None:
    other = random.choice(seeds)
    start = random.randrange(len(other) + 1)
    at = random.randrange(len(data) + 1)
    data[at:at] = other[start : start + random.randrange(1, 300)]


def _cut(random: Random, data: bytearray, _: list[bytes]) -> None:
    del data[random.randrange(len(data) + 1) :]


_CHANGES = (_flip, _insert, _drop, _double, _replace, _replace, _cross, _cut)


def mutated_json(random: Random, text: str) -> str:
    """Return JSON in which values or keys have become others; now and then text that is no JSON any more."""
    if not text or random.random() < 0.07:
        return mutated(random, [text.encode()]).decode("utf-8", "replace")
    data = json.loads(text)
    for _ in range(random.choice((0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 4))):
        data = _other(random, data)
    written = json.dumps(data)
    return written.replace(f'"{_MARK}"', random.choice(RAW)) if _MARK in written else written


def _other(random: Random, data: object) -> object:
    """Change one value, somewhere in the tree."""
    if isinstance(data, dict) and data and random.random() < 0.95:
        key = random.choice(list(data))
        if random.random() < 0.1:
            return {name: value for name, value in data.items() if name != key}
        return {**data, key: _other(random, data[key])}
    if isinstance(data, list) and data and random.random() < 0.95:
        at = random.randrange(len(data))
        if random.random() < 0.1:
            return [*data, data[at]]
        return [*data[:at], _other(random, data[at]), *data[at + 1 :]]
    if isinstance(data, str) and data and random.random() < 0.25:
        return mutated(random, [data.encode("utf-8", "surrogatepass")]).decode("utf-8", "replace")
    return _MARK if random.random() < 0.15 else random.choice(VALUES)


def part_of(random: Random, data: object, most: int) -> object:
    """Return `data` with at most `most` entries of each list and object, chosen by chance: less to read, and all of it now and then."""
    if isinstance(data, dict):
        names = data if len(data) <= most else random.sample(list(data), most)
        return {name: part_of(random, data[name], most) for name in names}
    if isinstance(data, list):
        return [part_of(random, one, most) for one in (data if len(data) <= most else random.sample(data, most))]
    return data
