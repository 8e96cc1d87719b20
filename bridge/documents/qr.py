"""QR codes (ISO/IEC 18004) as far as payment codes need them: bytes, error correction level M, versions 1 to 13.

A row of modules is one integer, the leftmost module its highest bit, so that the eight masks are weighed with a few operations per row.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from bridge.errors import Wrong

CAPACITY = 331
"""Bytes that fit into version 13 at level M, the largest that EPC069-12 allows."""

_BLOCKS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (10, (16,)),
    (16, (28,)),
    (26, (44,)),
    (18, (32,) * 2),
    (24, (43,) * 2),
    (16, (27,) * 4),
    (18, (31,) * 4),
    (22, (38,) * 2 + (39,) * 2),
    (22, (36,) * 3 + (37,) * 2),
    (26, (43,) * 4 + (44,)),
    (30, (50,) + (51,) * 4),
    (22, (36,) * 6 + (37,) * 2),
    (22, (37,) * 8 + (38,)),
)
"""By version at level M: error correction codewords of each block, and the data codewords of each (table 9)."""

_ALIGNMENT = (
    (),
    (18,),
    (22,),
    (26,),
    (30,),
    (34,),
    (22, 38),
    (24, 42),
    (26, 46),
    (28, 50),
    (30, 54),
    (32, 58),
    (34, 62),
)
"""By version: centres of alignment patterns besides 6 (annex E)."""

_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, _: y % 2 == 0,
    lambda _, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)
_FINDER_LIKE = (0b10111010000, 0b00001011101)
Rows = tuple[int, ...]


class Code(NamedTuple):
    """One QR code without its quiet zone: `size` modules each way, one integer per row."""

    size: int
    rows: Rows

    def dark(self, y: int, x: int) -> bool:
        """Return whether the module in row `y`, column `x` is dark."""
        return bool(self.rows[y] >> (self.size - 1 - x) & 1)

    def path(self) -> str:
        """Return the dark modules as the data of one SVG path, one unit per module."""
        return "".join(
            f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(self.rows) for x, length in _runs(row, self.size)
        )

    def png(self, *, scale: int = 4, quiet: int = 4) -> bytes:
        """Return the code as a PNG with two colours: `scale` pixels per module, `quiet` light modules around it."""
        side = (self.size + 2 * quiet) * scale
        width = (side + 7) // 8
        light = b"\0" + b"\xff" * width
        lines = [light * (quiet * scale)]
        for row in self.rows:
            bits = "1" * (quiet * scale) + "".join(
                ("1" if sign == "0" else "0") * scale for sign in f"{row:0{self.size}b}"
            )
            packed = int(bits.ljust(width * 8, "1"), 2).to_bytes(width, "big")
            lines.append((b"\0" + packed) * scale)
        lines.append(light * (quiet * scale))
        head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
        chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )


def encode(data: bytes) -> Code:
    """Return the smallest code of level M that holds `data`, with the mask that scanners read best.

    Raises `ValueError` where there are more than `CAPACITY` bytes.
    """
    version = next((number for number in range(1, 14) if len(data) <= _room(number)), None)
    if version is None:
        raise Wrong(
            "{data} bytes do not fit into a code of version 13, which holds {capacity}",
            data=len(data),
            capacity=CAPACITY,
        )
    frame = _frame(version)
    rows = list(frame.rows)
    bits = "".join(f"{one:08b}" for one in _codewords(data, version))
    for bit, (y, shift) in zip(bits, frame.places, strict=False):
        if bit == "1":
            rows[y] |= 1 << shift
    best = min((_masked(rows, frame, number) for number in range(8)), key=lambda one: _penalty(one, frame.size))
    return Code(frame.size, best)


def _room(version: int) -> int:
    return sum(_BLOCKS[version - 1][1]) - (2 if version < 10 else 3)


# ---------------------------------------------------------------------------------------------------------- codewords


def _codewords(data: bytes, version: int) -> Iterator[int]:
    """Yield data and error correction codewords, interleaved over the blocks."""
    extra, sizes = _BLOCKS[version - 1]
    head = 0b0100 << 8 | len(data) if version < 10 else 0b0100 << 16 | len(data)
    stream = head << 8 * len(data) | int.from_bytes(data, "big")
    length = (12 if version < 10 else 20) + 8 * len(data)
    room = 8 * sum(sizes)
    stream <<= min(4, room - length) + -(length + min(4, room - length)) % 8
    whole = stream.to_bytes(-(-(length + 4) // 8) if length + 4 <= room else room // 8, "big")
    whole += (b"\xec\x11" * (room // 8))[: room // 8 - len(whole)]
    blocks, at = [], 0
    for size in sizes:
        blocks.append(whole[at : at + size])
        at += size
    yield from (block[place] for place in range(max(sizes)) for block in blocks if place < len(block))
    corrections = [_correction(block, extra) for block in blocks]
    yield from (one[place] for place in range(extra) for one in corrections)


@cache
def _field() -> tuple[Sequence[int], Sequence[int]]:
    """Return powers and logarithms of the field with 256 elements (polynomial 0x11D)."""
    powers, logs, value = [0] * 512, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logs[value] = exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    return powers, logs


@cache
def _generator(degree: int) -> tuple[int, ...]:
    """Return the logarithms of the generator polynomial's coefficients, without the leading one."""
    powers, logs = _field()
    found = [1]
    for root in range(degree):
        found = [
            (found[at] if at < len(found) else 0) ^ (powers[logs[found[at - 1]] + root] if at else 0)
            for at in range(len(found) + 1)
        ]
    return tuple(logs[one] for one in found[1:])


def _correction(block: bytes, degree: int) -> list[int]:
    powers, logs = _field()
    factors = _generator(degree)
    rest = [*block, *([0] * degree)]
    for at in range(len(block)):
        lead = rest[at]
        if lead:
            log = logs[lead]
            for offset, factor in enumerate(factors, at + 1):
                rest[offset] ^= powers[log + factor]
    return rest[len(block) :]


# -------------------------------------------------------------------------------------------------------------- frame


class _Frame(NamedTuple):
    """What every code of one version has in common: fixed modules, the places of data bits in order, and the masks."""

    size: int
    rows: Rows
    places: tuple[tuple[int, int], ...]  # row and bit
    masks: tuple[Rows, ...]


@cache
def _frame(version: int) -> _Frame:
    size = 17 + 4 * version
    fixed: dict[tuple[int, int], bool] = {}
    for y, x in ((0, 0), (0, size - 7), (size - 7, 0)):
        _square(fixed, y + 3, x + 3, 4, size, light=(2, 4))
    for at in range(8, size - 8):
        fixed[6, at] = fixed[at, 6] = at % 2 == 0
    centres = (6, *_ALIGNMENT[version - 1]) if version > 1 else ()
    for y in centres:
        for x in centres:
            if (y, x) not in ((6, 6), (6, centres[-1]), (centres[-1], 6)):
                _square(fixed, y, x, 2, size, light=(1,))
    for at in range(9):
        fixed.setdefault((8, at), False)
        fixed.setdefault((at, 8), False)
    for at in range(8):
        fixed[8, size - 1 - at] = fixed[size - 1 - at, 8] = False
    fixed[size - 8, 8] = True
    if version >= 7:
        word = version << 12 | _remainder(version << 12, 0x1F25, 12)
        for bit in range(18):
            fixed[bit // 3, size - 11 + bit % 3] = fixed[size - 11 + bit % 3, bit // 3] = bool(word >> bit & 1)
    free = tuple((y, x) for y, x in _walk(size) if (y, x) not in fixed)
    rows = tuple(sum(1 << (size - 1 - x) for x in range(size) if fixed.get((y, x))) for y in range(size))
    masks = []
    for rule in _MASKS:
        mask = [0] * size
        for y, x in free:
            mask[y] |= rule(y, x) << (size - 1 - x)
        masks.append(tuple(mask))
    return _Frame(size, rows, tuple((y, size - 1 - x) for y, x in free), tuple(masks))


def _square(
    fixed: dict[tuple[int, int], bool], y: int, x: int, reach: int, size: int, *, light: tuple[int, ...]
) -> None:
    """Draw rings around a centre; those at a distance in `light` are light."""
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if 0 <= y + dy < size and 0 <= x + dx < size:
                fixed[y + dy, x + dx] = max(abs(dy), abs(dx)) not in light


def _walk(size: int) -> Iterator[tuple[int, int]]:
    """Yield all modules in the order of data bits: upwards and downwards through pairs of columns, from the right."""
    upwards = True
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        for step in range(size):
            y = size - 1 - step if upwards else step
            yield y, right
            yield y, right - 1
        upwards = not upwards


def _remainder(value: int, generator: int, degree: int) -> int:
    for shift in range(value.bit_length() - 1, degree - 1, -1):
        if value >> shift & 1:
            value ^= generator << (shift - degree)
    return value


def _masked(rows: Sequence[int], frame: _Frame, number: int) -> Rows:
    """Return the code with one mask and its format information (level M is 00)."""
    size, found = frame.size, [row ^ mask for row, mask in zip(rows, frame.masks[number], strict=True)]
    word = (number << 10 | _remainder(number << 10, 0x537, 10)) ^ 0x5412
    for bit in range(15):
        if word >> bit & 1:
            first = (8, (0, 1, 2, 3, 4, 5, 7)[14 - bit]) if bit > 7 else ((0, 1, 2, 3, 4, 5, 7, 8)[bit], 8)
            second = (8, size - 1 - bit) if bit < 8 else (size - 15 + bit, 8)
            for y, x in (first, second):
                found[y] |= 1 << (size - 1 - x)
    return tuple(found)


# ------------------------------------------------------------------------------------------------------------ penalty


def _penalty(rows: Rows, size: int) -> int:
    """Return how hard a code is to read (section 7.8.3): long runs, blocks, what looks like a finder, too dark or too light."""
    lines = [f"{row:0{size}b}" for row in rows]
    columns = tuple(int("".join(line), 2) for line in zip(*lines, strict=True))
    dark = sum(row.bit_count() for row in rows)
    score = 10 * (abs(20 * dark - 10 * size * size) // (size * size))
    for group in (rows, columns):
        score += sum(_line_penalty(row, size) for row in group)
    inner = (1 << (size - 1)) - 1
    for above, below in pairwise(rows):
        alike = ~(above ^ above >> 1) & ~(below ^ below >> 1) & ~(above ^ below) & inner
        score += 3 * alike.bit_count()
    return score


def _line_penalty(row: int, size: int) -> int:
    alike = ~(row ^ row >> 1) & ((1 << (size - 1)) - 1)
    fours = alike & alike >> 1
    fours &= fours >> 2
    score = fours.bit_count() + 2 * (fours & ~(fours << 1)).bit_count()
    light = ~row
    body = row & light >> 1 & row >> 2 & row >> 3 & row >> 4 & light >> 5 & row >> 6
    if body:
        quiet = light & light >> 1
        quiet = quiet & quiet >> 2 & ((1 << size) - 1)
        quiet &= (1 << (size - 3)) - 1
        body &= (1 << (size - 6)) - 1
        score += 40 * ((body & quiet >> 7).bit_count() + (body >> 4 & quiet).bit_count())
    return score


def _runs(row: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of each run of dark modules."""
    line = f"{row:0{size}b}"
    at = line.find("1")
    while at >= 0:
        end = line.find("0", at)
        end = size if end < 0 else end
        yield at, end - at
        at = line.find("1", end)
