"""The conformance suite: every promise of `bridge.contract`, checked on any connector, directly and behind an OAuth gateway.

One line in a test file (see `bridge.testing.kit` for the kit):

```python
class TestSevDesk(ConnectorConformance, kit=SevDeskKit):
    pass
```

Every check becomes a test method. Without a test runner: `for case in cases(SevDeskKit): case.run()`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from bridge.contract import Act
from bridge.testing import checks_read, checks_write
from bridge.testing.kit import Kit
from bridge.testing.scene import MODES, NonconformantError, Scene

__all__ = ["Case", "ConnectorConformance", "Kit", "NonconformantError", "cases"]


@dataclass(frozen=True, slots=True)
class Case:
    """One check on one kit."""

    name: str
    promise: str
    kit: type[Kit]
    mode: str
    check: Callable[[Scene], None] | Callable[[Scene, Act], None]
    act: Act | None = None

    def run(self) -> None:
        """Run the check. Raises `NonconformantError` saying which promise is broken and how."""
        with Scene(self.kit, self.mode) as scene:
            if self.act is None:
                self.check(scene)  # type: ignore[call-arg]
            else:
                self.check(scene, self.act)  # type: ignore[call-arg]


def cases(kit: type[Kit]) -> Iterator[Case]:
    """Yield every check that applies to `kit`."""
    acts = kit.connector.acts if kit.acts is None else kit.acts
    for mode in MODES if kit.over_http else MODES[:1]:
        for check in checks_read.checks(kit):
            name = check.__name__
            yield Case(f"{name}[{mode}]", (check.__doc__ or name).strip(), kit, mode, check)
        for act in sorted(acts):
            for write_check in checks_write.checks(kit, act):
                name = write_check.__name__
                yield Case(f"{name}[{act}-{mode}]", (write_check.__doc__ or name).strip(), kit, mode, write_check, act)
    for single in checks_write.once(kit):
        yield Case(single.__name__, (single.__doc__ or "").strip(), kit, MODES[0], single)


class ConnectorConformance:
    """Base of a test class; its keyword `kit` (or an attribute of that name) names the kit, and every check becomes a test."""

    kit: ClassVar[type[Kit]]

    def __init_subclass__(cls, kit: type[Kit] | None = None) -> None:
        super().__init_subclass__()
        if kit is not None:
            cls.kit = kit
        for case in cases(cls.kit):
            name = "test_" + "".join(letter if letter.isalnum() else "_" for letter in case.name).rstrip("_")
            setattr(cls, name, _method(case, name))


def _method(case: Case, name: str) -> Callable[[object], None]:
    def test(_self: object) -> None:
        case.run()

    test.__name__ = name
    test.__doc__ = case.promise
    return test
