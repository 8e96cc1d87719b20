"""XML for a support bundle: elements and attributes stay, what stands in them only where it says nothing of people; broken XML stays broken."""

import html
import re
from collections.abc import Callable

from bridge.replay.pseudonyms import Pseudonyms

_TOKEN = re.compile(r"<[^<>]*>|[^<]+|<")
_TAG = re.compile(r"(</?[?]?)([\w:.-]+)((?:\s[^<>]*)?)(>)", re.DOTALL)
_ATTRIBUTE = re.compile(r"(?<![\w:.-])([\w:.-]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_KEYWORD = re.compile(r"\b(DOCTYPE|ENTITY|CDATA|ELEMENT|ATTLIST|NOTATION|SYSTEM|PUBLIC)\b")
_SPACE = re.compile(r"(?:urn:iso:|https?://www\.w3\.org/)[\w:./#-]{1,100}")
_DECIDING = frozenset(
    [
        "Amt", "Dt", "DtTm", "CreDtTm", "FrDtTm", "ToDtTm", "CdtDbtInd", "Sts", "Cd", "RvslInd", "Ccy", "NbOfTxs", "NbOfNtries",
        "Sum", "TtlNetNtryAmt", "PgNb", "LastPgInd", "ElctrncSeqNb", "LglSeqNb", "SubFmlyCd", "SrcCcy", "TrgtCcy", "XchgRate",
    ]
)  # fmt: skip
"""Elements of a statement in which digits and codes say nothing of people."""


def pseudonymised_xml(text: str, names: Pseudonyms) -> str:
    """Return a statement with nobody's name in it; entities and character references are read first."""
    element, parts = "", []
    for match in _TOKEN.finditer(text):
        token = match[0]
        tag = _TAG.fullmatch(token)
        if tag is not None:
            element = tag[2].rpartition(":")[2] if not tag[1].startswith("</") else ""
            inside = _ATTRIBUTE.sub(lambda one: _attribute(one, names), tag[3])
            parts.append(f"{tag[1]}{tag[2]}{inside}{tag[4]}")
        elif token.startswith(("<", "!")):
            parts.append(_declared(token, names))
        else:
            parts.append(_content(token, element, names))
    return "".join(parts)


def _declared(token: str, names: Pseudonyms) -> str:
    """Return comments, declarations and sections of text with their own words left."""
    parts = _KEYWORD.split(token)
    return "".join(part if at % 2 else names.text(part, personal=True) for at, part in enumerate(parts))


def _content(token: str, element: str, names: Pseudonyms) -> str:
    change = names.figures if element in _DECIDING else lambda text: names.text(text, personal=True)
    return _read(token, change)


def _read(text: str, change: Callable[[str], str]) -> str:
    """Change what a text says once its entities are read, line by line: lines stay lines."""
    told = []
    for line in text.split("\n"):
        said = html.unescape(line)
        new = change(said)
        told.append(new if said == line else html.escape(new).replace("\n", "&#10;"))
    return "\n".join(told)


def _attribute(one: re.Match[str], names: Pseudonyms) -> str:
    value = one[3][1:-1]
    if one[1].startswith("xmlns") or one[1].endswith("schemaLocation"):
        stays = all(_SPACE.fullmatch(part) for part in value.split())
    else:
        stays = one[1] in ("Ccy", "version", "encoding", "standalone") and len(value) <= 20
    told = value if stays else _read(value, lambda text: names.text(text, personal=True))
    return f"{one[1]}{one[2]}{one[3][0]}{told}{one[3][0]}"
