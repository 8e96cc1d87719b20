"""Pictures that may stand in a letter: PNG, JPEG and SVG, really read before a letter is due."""

import re
import struct
import zlib
from pathlib import Path

from bridge.errors import Wrong

LARGEST = 2_000_000
"""Bytes of a logo; a larger one would make every letter heavy."""

MOST_PIXELS = 10_000_000
"""Points of a logo: 85 mm at 600 to the inch are 2,000 wide. All of them are held while a letter is made."""

_FETCHES = re.compile(r"@import|url\(\s*[\"']?\s*[^#\s\"']", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"


def check(path: Path) -> None:
    """Raise `ValueError` saying what is wrong where the file at `path` is no whole PNG, JPEG or SVG that a letter can carry."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise Wrong("cannot be read: {strerror}", strerror=error.strerror) from error
    if size > LARGEST:
        raise Wrong("has {size} bytes, at most {largest} are right for a logo", size=size, largest=LARGEST)
    suffix = path.suffix.lower()
    if suffix == ".png":
        _check_png(data)
    elif suffix in (".jpg", ".jpeg"):
        _check_jpeg(data)
    elif suffix == ".svg":
        _check_svg(data)
    else:
        raise Wrong("is no picture for a letter; write the name of a .png, .jpg or .svg file")
    _check_drawn(path)


def _check_drawn(path: Path) -> None:
    """Have the picture set once, as letters set it: what they could not show, or not keep in PDF/A, is known before one is due."""
    from bridge.documents.typesetting import undrawable  # noqa: PLC0415  typst is loaded only where there is a logo

    said = undrawable(path)
    if "CMYK" in said:
        raise Wrong("is a picture in the colours of print (CMYK), which letters cannot keep; save it in RGB")
    if said:
        raise Wrong("cannot be drawn in a letter: {error}", error=said)


def _check_png(data: bytes) -> None:
    """Check every chunk's checksum and that the picture's data is whole."""
    if not data.startswith(_PNG):
        raise Wrong("is no PNG picture")
    at, pixels, head, kind = len(_PNG), b"", b"", b""
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4])
        if at + 12 + length > len(data):
            raise Wrong("is a PNG picture that is cut off")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if data[at + 8 + length : at + 12 + length] != struct.pack(">I", zlib.crc32(kind + body)):
            raise Wrong("is a damaged PNG picture (a checksum is wrong)")
        pixels += body if kind == b"IDAT" else b""
        head = body if kind == b"IHDR" else head
        at += 12 + length
    if not _holds(pixels, _png_bytes(head)):
        raise Wrong("is a damaged PNG picture")


def _png_bytes(head: bytes) -> int:
    """Return how many bytes the pixels of a PNG picture have at least, by its head."""
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", head) if len(head) == 13 else (0,) * 7
    if not width or not height:
        raise Wrong("is a damaged PNG picture")
    _check_pixels(width, height)
    samples = {2: 3, 4: 2, 6: 4}.get(kind, 1)
    return 1 if interlaced else height * (1 + (width * samples * bits + 7) // 8)


def _holds(packed: bytes, size: int) -> bool:
    """Return whether `packed` really unpacks to that many bytes, of which few are held at a time."""
    unpacking = zlib.decompressobj()
    try:
        while size > 0 and (part := unpacking.decompress(packed, 1_000_000)):
            size, packed = size - len(part), unpacking.unconsumed_tail
    except zlib.error:
        return False
    return size <= 0


def _check_pixels(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise Wrong(
            "has {width} x {height} pixels, at most {most} in all are right for a logo",
            width=width,
            height=height,
            most=MOST_PIXELS,
        )


def _check_jpeg(data: bytes) -> None:
    """Follow the segments to the size and check that the picture has its end."""
    at, sized = 2, False
    if not data.startswith(b"\xff\xd8\xff"):
        raise Wrong("is no JPEG picture")
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            _check_pixels(width, height)
            sized = True
        if marker == 0xDA:
            break
        at += 2 + length
    if not sized or b"\xff\xd9" not in data[at:]:
        raise Wrong("is a JPEG picture that is cut off")


def _check_svg(data: bytes) -> None:
    """Check that it is a drawing by itself: no scripts, and nothing from elsewhere."""
    from lxml import etree  # noqa: PLC0415  only where the logo is an SVG

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Wrong("is no SVG picture: {msg}", msg=error.msg) from error
    if etree.QName(root).localname != "svg":
        raise Wrong("is no SVG picture")
    for node in root.iter(etree.Element):
        name = etree.QName(node).localname
        linked = any(
            etree.QName(key).localname == "href" and not str(value).startswith("#")
            for key, value in node.attrib.items()
        )
        styled = [node.text or "" if name == "style" else "", *map(str, node.attrib.values())]
        acts = any(etree.QName(key).localname.lower().startswith("on") for key in node.attrib)
        if name in ("script", "foreignObject") or linked or acts or any(map(_FETCHES.search, styled)):
            raise Wrong(
                "is an SVG picture with <{name}> that runs or fetches something; only drawings are right", name=name
            )
