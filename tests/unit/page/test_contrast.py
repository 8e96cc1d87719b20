"""The debtor's page can be read by people who see little: contrast of every text, light and dark (WCAG 2.1, 1.4.3 and 1.4.11)."""

import re

import pytest

from bridge.page.view import STYLE

TEXTS = {  # text by its selector: what it may stand on
    "body": ("body", "main", ".error", ".note", ".summary"),
    ".creditor": ("body", "main"),
    ".hint": ("body", "main", ".error", ".note", ".summary"),
    "footer": ("body", "main"),
    "a": ("body", "main", ".error", ".note", ".summary"),
    ".choices a": ("main", ".choices a:hover"),
    "button": ("button",),
    "button.back": ("main",),
}
FOCUS = {  # what can be reached with the keyboard: what lies on either side of the ring around it
    "a:focus-visible": ("body", "main", ".error", ".note", ".summary", ".choices a:hover"),
    "button:focus-visible": ("main", "button"),
    "input:focus-visible": ("main",),
    "textarea:focus-visible": ("main",),
}
LINES = {"fieldset", ".choices a", "textarea", "input[type=date]"}
HEX = r"#[0-9a-f]{6}\b|#[0-9a-f]{3}\b"


def colours(scheme):
    """Return text colours, grounds and borders by selector, as a browser of that scheme takes them."""
    light, _, dark = STYLE.partition("@media (prefers-color-scheme:dark){")
    found = {"color": {}, "background": {}, "border": {}, "outline": {}}
    for part in (light, dark) if scheme == "dark" else (light,):
        for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", part):
            for declaration in body.split(";"):
                name, _, value = declaration.strip().partition(":")
                told = {"border-color": "border", "outline-color": "outline"}.get(name, name)
                if told in found and (colour := re.search(HEX, value)):
                    found[told] |= {one.strip(): colour.group() for one in selectors.split(",")}
    return found


def luminance(colour):
    """Return the relative luminance of a colour, 0 black to 1 white (WCAG 2.1)."""
    digits = colour[1:] if len(colour) == 7 else "".join(sign * 2 for sign in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_it_stands_on(scheme):
    """At least 4.5:1 for each text on each ground, 3:1 for the borders of what can be filled in or chosen."""
    found = colours(scheme)
    assert set(found["color"]) == set(TEXTS), "a text with a colour of its own belongs into the table"
    assert set(found["background"]) <= {ground for grounds in TEXTS.values() for ground in grounds}
    low = {
        (text, ground): round(ratio(found["color"][text], found["background"][ground]), 2)
        for text, grounds in TEXTS.items()
        for ground in grounds
        if ratio(found["color"][text], found["background"][ground]) < 4.5
    }
    assert low == {}
    assert set(found["border"]) == LINES
    assert all(ratio(found["border"][one], found["background"]["main"]) >= 3 for one in LINES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ring_around_what_has_the_focus_stands_out(scheme):
    """Who goes through the page by keyboard sees where: 3:1 at least from the ground and from the button itself (WCAG 2.1, 1.4.11)."""
    found = colours(scheme)
    assert set(found["outline"]) == set(FOCUS)
    low = {
        (one, beside): round(ratio(found["outline"][one], found["background"][beside]), 2)
        for one, sides in FOCUS.items()
        for beside in sides
        if ratio(found["outline"][one], found["background"][beside]) < 3
    }
    assert low == {}


def test_black_on_white_is_twenty_one_to_one():
    """The formula is that of the standard, also for short names of colours."""
    assert (round(ratio("#000", "#ffffff"), 2), ratio("#123456", "#123456")) == (21, 1)
