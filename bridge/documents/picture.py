"""Pictures that may stand in a letter: PNG, JPEG and SVG, really read before a letter is due."""

import struct
import zlib
from pathlib import Path

LARGEST = 2_000_000
"""Bytes of a logo; a larger one would make every letter heavy."""

_PNG = b"\x89PNG\r\n\x1a\n"


def check(path: Path) -> None:
    """Raise `ValueError` saying what is wrong where the file at `path` is no whole PNG, JPEG or SVG that a letter can carry."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
        raise ValueError(msg) from error
    if size > LARGEST:
        msg = f"has {size} bytes, at most {LARGEST} are right for a logo"
        raise ValueError(msg)
    suffix = path.suffix.lower()
    if suffix == ".png":
        _check_png(data)
    elif suffix in (".jpg", ".jpeg"):
        _check_jpeg(data)
    elif suffix == ".svg":
        _check_svg(data)
    else:
        msg = "is no picture for a letter; write the name of a .png, .jpg or .svg file"
        raise ValueError(msg)


def _check_png(data: bytes) -> None:
    """Check every chunk's checksum and that the picture's data is whole."""
    if not data.startswith(_PNG):
        msg = "is no PNG picture"
        raise ValueError(msg)
    at, pixels, kind = len(_PNG), b"", b""
    while kind != b"IEND":
        if at + 12 > len(data):
            msg = "is a PNG picture that is cut off"
            raise ValueError(msg)
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if data[at + 8 + length : at + 12 + length] != struct.pack(">I", zlib.crc32(kind + body)):
            msg = "is a damaged PNG picture (a checksum is wrong)"
            raise ValueError(msg)
        pixels += body if kind == b"IDAT" else b""
        at += 12 + length
    try:
        whole = zlib.decompressobj().decompress(pixels, 1)
    except zlib.error:
        whole = b""
    if not whole:
        msg = "is a damaged PNG picture"
        raise ValueError(msg)


def _check_jpeg(data: bytes) -> None:
    """Follow the segments to the size and check that the picture has its end."""
    at, sized = 2, False
    if not data.startswith(b"\xff\xd8\xff"):
        msg = "is no JPEG picture"
        raise ValueError(msg)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        sized = sized or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC))
        if marker == 0xDA:
            break
        at += 2 + length
    if not sized or b"\xff\xd9" not in data[at:]:
        msg = "is a JPEG picture that is cut off"
        raise ValueError(msg)


def _check_svg(data: bytes) -> None:
    """Check that it is a drawing by itself: no scripts, and nothing from elsewhere."""
    from lxml import etree  # noqa: PLC0415  only where the logo is an SVG

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        msg = f"is no SVG picture: {error.msg}"
        raise ValueError(msg) from error
    if etree.QName(root).localname != "svg":
        msg = "is no SVG picture"
        raise ValueError(msg)
    for node in root.iter(etree.Element):
        name = etree.QName(node).localname
        linked = any(
            etree.QName(key).localname == "href" and not str(value).startswith("#")
            for key, value in node.attrib.items()
        )
        if name in ("script", "foreignObject") or linked:
            msg = f"is an SVG picture with <{name}> that runs or fetches something; only drawings are right"
            raise ValueError(msg)
