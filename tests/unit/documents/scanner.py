"""A small scanner for the tests: finds a QR code in a picture and reads it, checking every codeword (ISO/IEC 18004)."""

import struct
import zlib
from itertools import combinations

from bridge.documents import qr


def pixels(png):
    """Return rows of booleans, dark is True; of colours the mean counts, of transparency nothing."""
    at, packed = 8, b""
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    step, stride = max(1, channels * depth // 8), (width * channels * depth + 7) // 8
    raw, above, rows = zlib.decompress(packed), bytearray(stride), []
    for y in range(height):
        line = _unfiltered(
            raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)]), above, step
        )
        above = line
        if depth == 1:
            rows.append([not line[x // 8] >> (7 - x % 8) & 1 for x in range(width)])
        else:
            rows.append([line[x * channels + (1 if channels > 2 else 0)] < 100 for x in range(width)])
    return rows


def _unfiltered(kind, line, above, step):
    for x in range(len(line)):
        left, up, corner = (line[x - step] if x >= step else 0), above[x], (above[x - step] if x >= step else 0)
        if kind == 4:
            guess = left + up - corner
            near = min((left, up, corner), key=lambda one: abs(guess - one))
        else:
            near = (0, left, up, (left + up) // 2)[kind]
        line[x] = (line[x] + near) & 255
    return line


def scan(rows):
    """Return the bytes of the QR code in a picture; None where there is none."""
    for y, row in enumerate(rows):
        runs = _runs(row)
        for (start, length), (other, same) in combinations(runs, 2):
            unit = length / 7
            size = round((other + same - start) / unit) if unit >= 1 else 0
            if abs(length - same) <= 1 and length >= 7 and size % 4 == 1 and 21 <= size <= 69:
                unit = (other + same - start) / size
                grid = [
                    [rows[int(y + (down + 0.5) * unit)][int(start + (right + 0.5) * unit)] for right in range(size)]
                    for down in range(size)
                    if y + size * unit <= len(rows)
                ]
                if len(grid) == size and _finder(grid):
                    return read(grid)
    return None


def scan_page(page):
    """Return the bytes of the QR code that stands as a picture on a page of a PDF; None where there is none."""
    found = [drawn for one in page["/Resources"].get("/XObject", {}).values() if (drawn := _grid(one.get_object()))]
    assert len(found) <= 1
    return read(found[0]) if found else None


def _grid(picture):
    """Return the modules of a picture in shades of grey that is a QR code without white around it."""
    width, height = picture["/Width"], picture["/Height"]
    data = picture.get_data()
    if (picture["/BitsPerComponent"], len(data)) != (8, width * height) or width != height:
        return None
    rows = [[one < 128 for one in data[y * width : (y + 1) * width]] for y in range(height)]
    scale = rows[0].index(False) // 7
    grid = [row[::scale] for row in rows[::scale]]
    assert rows == [[dark for dark in row for _ in range(scale)] for row in grid for _ in range(scale)]
    return grid if _finder(grid) else None


def _runs(row):
    found, start = [], None
    for x, dark in enumerate([*row, False]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            found.append((start, x - start))
            start = None
    return found


def _finder(grid):
    return all(grid[at][0:7] == [True, *[at in (0, 6)] * 5, True] for at in (0, 1, 5, 6)) and not any(grid[7][:8])


def read(grid):
    """Return the bytes of a code given as rows of booleans."""
    size, version = len(grid), (len(grid) - 17) // 4
    word = 0
    for y, x in [(8, at) for at in (0, 1, 2, 3, 4, 5, 7, 8)] + [(at, 8) for at in (7, 5, 4, 3, 2, 1, 0)]:
        word = word << 1 | grid[y][x]
    word ^= 0x5412
    assert word >> 13 == 0, "error correction level M"
    mask = qr._MASKS[word >> 10 & 7]
    free = [(y, size - 1 - bit) for y, bit in qr._frame(version).places]
    bits = "".join("1" if grid[y][x] ^ mask(y, x) else "0" for y, x in free)
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)]
    extra, sizes = qr._BLOCKS[version - 1]
    blocks = [[] for _ in sizes]
    for place in range(max(sizes)):
        for block, room in zip(blocks, sizes, strict=True):
            if place < room:
                block.append(words.pop(0))
    data = b"".join(bytes(block) for block in blocks)
    for _ in range(extra):
        for block in blocks:
            block.append(words.pop(0))
    for block in blocks:
        assert not any(_syndromes(block, extra)), "every codeword is right"
    stream = "".join(f"{one:08b}" for one in data)
    assert stream[:4] == "0100", "bytes"
    wide = 8 if version < 10 else 16
    length = int(stream[4 : 4 + wide], 2)
    body = stream[4 + wide : 4 + wide + 8 * length]
    return bytes(int(body[at : at + 8], 2) for at in range(0, len(body), 8))


def _times(left, right):
    product = 0
    while right:
        product ^= left if right & 1 else 0
        left = left << 1 ^ (0x11D if left & 0x80 else 0)
        right >>= 1
    return product


def _syndromes(block, extra):
    root = 1
    for _ in range(extra):
        value = 0
        for word in block:
            value = _times(value, root) ^ word
        yield value
        root = _times(root, 2)
