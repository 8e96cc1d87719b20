"""QR codes (ISO/IEC 18004) as far as payment codes need them: bytes, error correction level M, versions 1 to 13.

A whole code is one integer, the top left module its highest bit, so that the eight masks are weighed with a few operations each.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter
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


class Code(NamedTuple):
    """One QR code without its quiet zone: `size` modules each way, one integer per row."""

    size: int
    rows: tuple[int, ...]

    def dark(self, y: int, x: int) -> bool:
        """Return whether the module in row `y`, column `x` is dark."""
        return bool(self.rows[y] >> (self.size - 1 - x) & 1)

    def png(self, *, scale: int = 4, quiet: int = 4) -> bytes:
        """Return the code as a PNG with two colours: `scale` pixels per module, `quiet` light modules around it."""
        side = (self.size + 2 * quiet) * scale
        width = (side + 7) // 8
        light = b"\0" + b"\xff" * width
        left, right = "1" * (quiet * scale), "1" * (width * 8 - (quiet + self.size) * scale)
        lines = [light * (quiet * scale)]
        for row in self.rows:
            dark = f"{row:0{self.size}b}".replace("1", " " * scale)
            bits = left + dark.replace("0", "1" * scale).replace(" ", "0") + right
            lines.append((b"\0" + int(bits, 2).to_bytes(width, "big")) * scale)
        lines.append(light * (quiet * scale))
        head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
        packer = zlib.compressobj(9, zlib.DEFLATED, 12, 4)  # so small a picture needs no more room to pack in
        body = packer.compress(b"".join(lines)) + packer.flush()
        chunks = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
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
    words = b"".join(_codewords(data, version))
    bits = (
        f"{int.from_bytes(words, 'big'):0{8 * len(words)}b}" + "0" * 8
    )  # no version has more than seven bits left over
    whole = frame.fixed | int("".join(itemgetter(*frame.order)(bits + "0")), 2)
    best = min((whole ^ mask for mask in frame.masks), key=lambda one: _penalty(one, frame.size))
    row = (1 << frame.size) - 1
    return Code(frame.size, tuple(best >> frame.size * below & row for below in reversed(range(frame.size))))


def _room(version: int) -> int:
    return sum(_BLOCKS[version - 1][1]) - (2 if version < 10 else 3)


# ---------------------------------------------------------------------------------------------------------- codewords


def _codewords(data: bytes, version: int) -> Iterator[bytes]:
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
    yield from (block[place : place + 1] for place in range(max(sizes)) for block in blocks)
    corrections = [_correction(block, extra) for block in blocks]
    yield from (one[place : place + 1] for place in range(extra) for one in corrections)


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


@cache
def _products(degree: int) -> tuple[int, ...]:
    """Return the generator polynomial without its leading coefficient, times each element; the first coefficient is the highest byte."""
    powers, logs = _field()
    factors = _generator(degree)
    return (0, *(int.from_bytes(bytes(powers[logs[lead] + one] for one in factors), "big") for lead in range(1, 256)))


def _correction(block: bytes, degree: int) -> bytes:
    products, shift = _products(degree), 8 * (degree - 1)
    low, rest = (1 << shift) - 1, 0
    for one in block:
        rest = (rest & low) << 8 ^ products[rest >> shift ^ one]
    return rest.to_bytes(degree, "big")


# -------------------------------------------------------------------------------------------------------------- frame


class _Frame(NamedTuple):
    """What every code of one version has in common: fixed modules, the places of data bits in order, and the masks."""

    size: int
    fixed: int
    places: tuple[tuple[int, int], ...]  # row and bit
    order: tuple[int, ...]  # for each module, which bit of the data it shows; -1 where it is fixed
    masks: tuple[int, ...]  # each with its format information


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
    shown = {place: at for at, place in enumerate(free)}
    order = tuple(shown.get((y, x), -1) for y in range(size) for x in range(size))
    masks = tuple(
        _one(size, ((y, x) for y, x in free if rule(y, x))) | _format(number, size)
        for number, rule in enumerate(_MASKS)
    )
    dark = _one(size, (place for place, on in fixed.items() if on))
    return _Frame(size, dark, tuple((y, size - 1 - x) for y, x in free), order, masks)


def _one(size: int, modules: Iterable[tuple[int, int]]) -> int:
    """Return the code in which these modules alone are dark."""
    return sum(1 << (size * (size - 1 - y) + size - 1 - x) for y, x in modules)


def _format(number: int, size: int) -> int:
    """Return the modules of the format information of one mask (level M is 00)."""
    word = (number << 10 | _remainder(number << 10, 0x537, 10)) ^ 0x5412
    found = []
    for bit in range(15):
        if word >> bit & 1:
            found.append((8, (0, 1, 2, 3, 4, 5, 7)[14 - bit]) if bit > 7 else ((0, 1, 2, 3, 4, 5, 7, 8)[bit], 8))
            found.append((8, size - 1 - bit) if bit < 8 else (size - 15 + bit, 8))
    return _one(size, found)


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


# ------------------------------------------------------------------------------------------------------------ penalty


@cache
def _starts(size: int, length: int) -> tuple[int, int]:
    """Return the modules that have `length - 1` more to their left, and those that have so many above them."""
    row = (1 << (size - length + 1)) - 1
    return sum(row << size * y for y in range(size)), (1 << size * (size - length + 1)) - 1


def _penalty(whole: int, size: int) -> int:
    """Return how hard a code is to read (section 7.8.3): long runs, blocks, what looks like a finder, too dark or too light."""
    score = 10 * (abs(20 * whole.bit_count() - 10 * size * size) // (size * size))
    pairs = _starts(size, 2)
    across, down = (~(whole ^ whole >> step) & pair for step, pair in zip((1, size), pairs, strict=True))
    score += 3 * (across & across >> size & down).bit_count()
    for axis, (step, alike) in enumerate(((1, across), (size, down))):
        fours = alike & alike >> step
        fours &= fours >> 2 * step
        score += fours.bit_count() + 2 * (fours & ~(fours << step)).bit_count()
        score += 40 * _finder_like(whole, size, axis, step)
    return score


def _finder_like(whole: int, size: int, axis: int, step: int) -> int:
    """Return how often the proportions of a finder stand beside four light modules, along rows or columns."""
    light = ~whole
    body = whole & light >> step & whole >> 2 * step & whole >> 3 * step & whole >> 4 * step & light >> 5 * step
    body &= whole >> 6 * step & _starts(size, 7)[axis]
    quiet = light & light >> step
    quiet &= quiet >> 2 * step & _starts(size, 4)[axis]
    both = _starts(size, 11)[axis]
    return (body & quiet >> 7 * step & both).bit_count() + (body >> 4 * step & quiet & both).bit_count()
