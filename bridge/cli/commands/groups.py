"""Groups of commands: case, failures, letters, tasks, collection, plans, config."""

from bridge.cli.base import Group

_C = "bridge.cli.commands."


def _group(name: str, module: str, names: tuple[str, ...]) -> Group:
    modules = {one: f"{_C}{module}:{one.replace('-', '_')}" for one in names}
    return Group(name, modules=modules, prefix=f"{name} ", help=f"command.{name}", no_args_is_help=True)


case = _group(
    "case",
    "case",
    (
        "show",
        "block",
        "unblock",
        "defer",
        "instalments",
        "charge",
        "waive",
        "close",
        "contact",
        "note",
        "facts",
        "handover",
        "reopen",
        "level",
        "recipient",
        "colleagues",
        "include",
        "exclude",
        "plan",
    ),
)
failures = _group("failures", "failures", ("list", "show", "discard"))
letters = _group(
    "letters", "letters", ("list", "posted", "sent", "withdraw", "returned", "accepted", "resend", "bounces")
)
config = _group("config", "settings", ("show", "schema"))
plans = _group("plans", "plans", ("list", "show", "new", "lint", "variables", "versions"))
links = _group("links", "links", ("list", "revoke"))
tasks = _group("tasks", "tasks", ("list", "show", "done", "assign"))
collection = _group("collection", "collection", ("list", "export", "recall"))
files = _group("files", "files", ("list", "save", "check", "fetch"))
runs = Group(
    "runs",
    modules={
        "list": f"{_C}files:runs",
        "trace": f"{_C}files:trace",
        "show": f"{_C}files:run_show",
        "zip": f"{_C}files:run_zip",
        "dismiss": f"{_C}files:dismiss",
    },
    prefix="runs ",
    help="command.runs",
    no_args_is_help=True,
)
evidence = Group(
    "evidence",
    modules={"export": f"{_C}files:evidence", "verify": f"{_C}files:verify"},
    prefix="evidence ",
    help="command.evidence",
    no_args_is_help=True,
)
restore = _group("restore", "backups", ("load", "declare", "adopt", "release"))
audit = _group("audit", "audit", ("verify", "export", "erase"))
keys = _group("keys", "keys", ("show", "rotate", "forget"))
