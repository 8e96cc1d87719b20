"""The demo: the main job end to end against bundled sandboxes, with what a person wants to see of it."""

import sys
from pathlib import Path


def _command() -> str:
    """Return how this program was called, so that the hint can be pasted."""
    called = Path(sys.argv[0])
    if called.name != "mahnbridge":
        return "mahnbridge"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)


def main(language: str = "de", folder: Path = Path("var")) -> int:
    """Play the four weeks and print them; return 0 where all ledgers agree, else 1."""
    import logging  # noqa: PLC0415  the command line starts fast because it imports this only when asked to
    import time  # noqa: PLC0415

    import structlog  # noqa: PLC0415

    from bridge.demo.report import Report  # noqa: PLC0415
    from bridge.demo.story import Story, new_stage, open_bridge  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.monotonic()
    with new_stage(folder) as stage:
        bridge = open_bridge(stage, language)
        try:
            story, report = Story(stage, bridge), Report(language)
            report.opening(story.told)
            for day in story.play():
                report.day(day)
        finally:
            bridge.close()
        report.closing(story.told, seconds=time.monotonic() - began, folder=str(stage.folder), command=_command())
    return 0 if all(one.agree for one in story.told.ledgers) else 1
