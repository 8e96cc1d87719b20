"""Known vulnerabilities of the pinned dependencies, by pip-audit in an environment of its own: `python -m tests.audit_deps`.

What cannot be told is said loudly and fails nothing: an index that has no such data must not stop the work. Exit code 1 where something
pinned is known to be vulnerable.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".venv" / "audit"
NOT_CHECKED = "the pinned dependencies were NOT checked for known vulnerabilities"


def tool() -> Path | None:
    """Return pip-audit, installed from its pinned set where it is not there yet; None where it cannot be had."""
    program = PLACE / "bin" / "pip-audit"
    if not program.is_file():
        try:
            venv.create(PLACE, with_pip=True, clear=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        wanted = [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            "requirements-audit.txt",
        ]
        subprocess.run([PLACE / "bin" / "python", "-m", "pip", *wanted], cwd=ROOT, check=False)
    return program if program.is_file() else None


def ask(program: Path) -> str:
    """Return what pip-audit answers about `requirements.txt`, as JSON; nothing where it came to no answer."""
    wanted = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "-r", "requirements.txt", "-f", "json"]
    try:
        done = subprocess.run([program, *wanted], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return ""
    sys.stderr.write("".join(f"  {line}\n" for line in done.stderr.strip().splitlines()[-1:]))
    return done.stdout


def judge(answer: str) -> tuple[int, list[str]]:
    """Return the exit code and what to print of an answer."""
    try:
        found: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, [f"SKIPPED: pip-audit did not come to an answer; {NOT_CHECKED}"]
    skipped = [one for one in found if "skip_reason" in one]
    lines = [
        f"VULNERABLE: {one['name']} {one['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'no version'}"
        for one in found
        for flaw in one.get("vulns", ())
    ]
    code = 1 if lines else 0
    if found and len(skipped) == len(found):
        lines += [f"SKIPPED: the index knows nothing about vulnerabilities of any of these {len(found)}; {NOT_CHECKED}"]
    elif skipped:
        lines += [f"SKIPPED IN PART: NOT checked: {', '.join(one['name'] for one in skipped)}"]
    return code, lines or [f"{len(found)} pinned dependencies, no known vulnerability"]


def main() -> int:
    """Run the command; return its exit code."""
    program = tool()
    code, lines = judge(ask(program)) if program else (0, [f"SKIPPED: pip-audit cannot be installed; {NOT_CHECKED}"])
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
