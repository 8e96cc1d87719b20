"""What stands before every endpoint: the key, the rights of its user, the rate window, and the format."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bridge.testing.server import Clock, Request, Response
from connectors.billomat.sandbox import encoding
from connectors.billomat.sandbox.books import Row

WINDOW = 900
RIGHTS = {"": 0, "READ": 1, "UPDATE": 2, "DELETE": 3}
AREAS = (
    ("/credit-note", "credit_notes"),
    ("/reminder-text", ""),
    ("/client-properties", ""),
    ("/reminder", "reminders"),
    ("/invoice", "invoices"),
    ("/clients/myself", ""),
    ("/client", "clients"),
    ("/contact", "clients"),
)
AREA_NAMES = (
    "articles",
    "clients",
    "offers",
    "confirmations",
    "invoices",
    "credit_notes",
    "delivery_notes",
    "reminders",
)
FULL = dict.fromkeys(AREA_NAMES, "DELETE")


@dataclass(slots=True)
class Door:
    """Keys, apps and rate windows. `clock` is the one of the windows, which is not that of the documents."""

    key: str
    base_path: str
    limit: int | None = 300
    clock: Clock = field(default_factory=Clock)
    users: dict[str, Row] = field(default_factory=dict)
    apps: dict[str, str] = field(default_factory=dict)
    calls: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.add_user(self.key)

    def add_user(self, key: str, **rights: str) -> None:
        """Add a user with a key; without `rights` it may do everything."""
        number = 5 + len(self.users)
        role = {"id": 100 + number, "name": "API", **({**dict.fromkeys(FULL, ""), **rights} if rights else FULL)}
        self.users[key] = {
            "id": number,
            "first_name": "API",
            "last_name": "Bridge",
            "email": "api@agentur.example",
            "role_id": role["id"],
            "_role": role,
        }

    def user(self, request: Request) -> Row:
        return self.users[str(request.headers.get("x-billomatapikey") or request.arg("api_key"))]

    def check(self, request: Request) -> Response | None:
        """Return the answer to a request that may not go on, else None."""
        key = request.headers.get("x-billomatapikey") or request.arg("api_key")
        if key not in self.users:
            return encoding.failure(401, "Unauthorized")
        bucket = self._bucket(request)
        self.calls[bucket] += 1
        if self.limit is not None and self.calls[bucket] > self.limit:
            wait = WINDOW - int(self._now().timestamp()) % WINDOW
            return encoding.failure(429, f"Rate limit of {self.limit} requests exceeded. Please wait {wait} seconds.")
        if not self._may(request, self.users[key]["_role"]):
            return encoding.failure(403, "Sie haben nicht die nötigen Rechte")
        if request.arg("format") != "json" and "json" not in request.headers.get("accept", ""):
            return Response(
                200, b'<?xml version="1.0" encoding="UTF-8"?><answer/>', {"Content-Type": "application/xml"}
            )
        return None

    def headers(self, request: Request, response: Response) -> Response:
        """Add the rate headers."""
        if self.limit is None or response.status == 401:
            return response
        bucket = self._bucket(request)
        left = max(0, self.limit - self.calls[bucket])
        return response.with_headers(
            {"X-Rate-Limit-Remaining": str(left), "X-Rate-Limit-Reset": str((bucket[1] + 1) * WINDOW)},
        )

    def _now(self) -> datetime:
        return self.clock.now().astimezone(UTC)

    def _bucket(self, request: Request) -> tuple[str, int]:
        app = str(request.headers.get("x-appid") or "")
        known = bool(app) and self.apps.get(app) == request.headers.get("x-appsecret")
        return (app if known else "", int(self._now().timestamp()) // WINDOW)

    def _may(self, request: Request, role: dict[str, Any]) -> bool:
        path = request.path.removeprefix(self.base_path)
        area = next((area for start, area in AREAS if path.startswith(start)), "")
        if not area:
            return True
        needed = {"GET": "READ", "HEAD": "READ", "DELETE": "DELETE"}.get(request.method, "UPDATE")
        return RIGHTS[role[area]] >= RIGHTS[needed]
