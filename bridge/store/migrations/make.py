"""Write the next revision from what has changed in `tables/`: `python -m bridge.store.migrations.make "what and why"`.

For developers. Format what it wrote, and read it before you commit it: a renamed column looks like one dropped and one added.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.store.engine import make_engine
from bridge.store.migrations import VERSIONS, config, revisions, upgrade


def make(message: str, *, anew: bool = False) -> Path:
    """Write the next revision and return its file; `anew` writes the first one again, before it was ever released."""
    from alembic import command  # noqa: PLC0415

    if anew:
        for path in VERSIONS.glob("[0-9]*_*.py"):
            path.unlink()
    number = f"{int(revisions()[-1]) + 1 if revisions() else 1:04}"
    with TemporaryDirectory() as folder:
        engine = make_engine(Path(folder) / "empty.db")
        if revisions():
            upgrade(engine)
        with engine.begin() as conn:
            command.revision(config(conn), message, autogenerate=True, rev_id=number)
        engine.dispose()
    path = next(VERSIONS.glob(f"{number}_*.py"))
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("# ###")]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    words = [word for word in arguments if word != "--anew"]
    if not words:
        sys.stderr.write('usage: python -m bridge.store.migrations.make [--anew] "what and why"\n')
        return 2
    sys.stdout.write(f"{make(' '.join(words), anew='--anew' in arguments)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
