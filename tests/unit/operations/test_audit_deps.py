"""The audit of dependencies fails on what is known to be vulnerable, and says loudly what nobody could tell."""

import json

import pytest

from tests.audit_deps import judge


def answer(*dependencies):
    return json.dumps({"dependencies": dependencies, "fixes": []})


FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
FINE, BAD = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "version": "1", "vulns": [FLAW]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1)"}


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (answer(FINE), 0, "no known vulnerability"),
        (answer(FINE, BAD), 1, "VULNERABLE: b 1: PYSEC-2026-1, fixed in 2.0"),
        (answer(FINE, UNKNOWN), 0, "SKIPPED IN PART: NOT checked: c"),
        (answer(BAD, UNKNOWN), 1, "SKIPPED IN PART: NOT checked: c"),
        (answer(UNKNOWN), 0, "NOT checked for known vulnerabilities"),
        ("", 0, "NOT checked for known vulnerabilities"),
        ("{}", 0, "NOT checked for known vulnerabilities"),
    ],
)
def test_what_is_known_and_what_nobody_can_tell(text, code, says):
    """A finding fails with its name and the version that mends it; an index without such data fails nothing, but never passes silently."""
    told = judge(text)
    assert told[0] == code
    assert says in "\n".join(told[1])
