import re
import struct
import zlib

import pytest

from bridge.config import BadConfig, load
from bridge.documents import picture, qr
from bridge.documents.form import Style
from bridge.documents.letter import render
from bridge.errors import ConfigError
from tests.unit.documents.samples import a_letter

PNG = qr.encode(b"logo").png()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 3"><rect width="9" height="3" fill="#c00"/></svg>'


def png(width, height, rows, *, interlaced=0):
    """Return a grey PNG picture of that size with `rows` as its data, each chunk with its checksum."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, interlaced)
    return PNG[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300" + "ff" * 64 + "ffc0000b080001000101011100"
    "ffc40014000100000000000000000000000000000003ffc40014100100000000000000000000000000000000"
    "ffda0008010100003f0037ffd9"
)  # fmt: skip
CMYK = bytes.fromhex(
    "ffd8ffee000e41646f626500640000000000ffdb004300" + "ff" * 64 + "ffc000140800010001044311004d11005911004b1100"
    "ffc40014000100000000000000000000000000000003ffc40014100100000000000000000000000000000000"
    "ffda000e0443004d0059004b00003f0042108fffd9"
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", PNG),
        ("b.png", png(3, 3, b"\x00123" * 3)),
        ("c.png", png(3, 3, bytes(15), interlaced=1)),
        ("a.svg", SVG),
        ("b.svg", SVG.replace(b"#c00", b"url(#a)")),
        ("a.jpg", JPEG),
    ],
)
def test_whole_pictures_are_taken(tmp_path, name, data):
    """PNG, JPEG and SVG that are whole may be a logo."""
    (tmp_path / name).write_bytes(data)
    picture.check(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", b"no picture", "is no PNG"),
        ("a.png", PNG[:-20], "cut off"),
        ("a.png", PNG[:60] + b"x" + PNG[61:], "checksum"),
        ("a.jpg", PNG, "is no JPEG"),
        ("a.jpg", JPEG[:-4], "cut off"),
        ("a.svg", b"<svg", "is no SVG"),
        ("a.svg", b"<html/>", "is no SVG"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "script"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="https://x.example/a.png"/></svg>', "fetches"),
        ("a.svg", b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>', "cannot be drawn"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="run()"/>', "runs"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><style>@import "x.css"</style></svg>', "<style>"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><g style="fill:url(//x.example/y)"/></svg>', "<g>"),
        ("a.png", png(3, 3, b"0123" * 2), "is a damaged PNG"),
        ("a.png", png(4000, 4000, b"0" * 4000 * 4001), "4000 x 4000 pixels"),
        ("a.png", png(0, 3, b"000"), "is a damaged PNG"),
        ("a.jpg", JPEG.replace(bytes.fromhex("0800010001"), bytes.fromhex("080fa00fa0")), "4000 x 4000 pixels"),
        ("a.jpg", CMYK, "save it in RGB"),
        ("a.jpg", JPEG.replace(b"\xff\xdb", b"\xff\xec"), "cannot be drawn"),
        ("a.png", png(3, 3, b"9123" * 3), "cannot be drawn"),
        ("a.svg", SVG.replace(b'viewBox="0 0 9 3"', b'width="0" height="3"'), "cannot be drawn"),
        (
            "a.svg",
            b'<?xml version="1.0" encoding="iso-8859-1"?>' + SVG.replace(b"#c00", b'#c00" id="\xe4'),
            "not valid UTF-8",
        ),
        ("a.pdf", b"%PDF-", ".png, .jpg or .svg"),
        ("a.png", b"x" * 2_000_001, "at most 2000000"),
    ],
)
def test_what_is_no_picture_is_named_with_file_and_line(tmp_path, name, data, words):
    """A logo that is no picture, is damaged, or fetches something from elsewhere is refused when the configuration is read."""
    (tmp_path / name).write_bytes(data)
    config = tmp_path / "bridge.yaml"
    config.write_text(f"language: de\nletters:\n  logo: {name}\n", encoding="utf-8")
    with pytest.raises(BadConfig) as caught:
        load(config)
    assert re.search(rf"bridge\.yaml:3: letters\.logo = .*{re.escape(words)}", str(caught.value))


@pytest.mark.parametrize(("name", "data"), [("a.png", PNG), ("a.svg", SVG)])
def test_a_logo_stands_in_the_letterhead(tmp_path, name, data):
    """With a logo the letter carries the picture; without, the company's name."""
    (tmp_path / name).write_bytes(data)
    plain, with_logo = render(a_letter()), render(a_letter(style=Style(logo=tmp_path / name)))
    assert with_logo.startswith(b"%PDF-")
    assert with_logo != plain


def test_a_logo_that_vanishes_stops_the_letter_not_the_program(tmp_path):
    """If the file is gone when a letter is due, the letter waits with a clear error."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    style = Style(logo=path)
    path.unlink()
    with pytest.raises(ConfigError, match=r"a\.png") as caught:
        render(a_letter(style=style))
    assert caught.value.sentence.told("de").startswith("der Brief lässt sich nicht setzen: ")
