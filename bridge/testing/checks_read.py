"""Checks of what a connector reads: `check`, `pull`, `look`, `document`, and how it takes bad answers."""
# ruff: noqa: D401  the docstrings are promises, shown where a check fails

from collections.abc import Callable, Iterator
from typing import Any

from bridge.contract import BadAnswer, Batch, BridgeError, ConfigError, NotSupported, Ref, Refused, RetryLater
from bridge.testing.kit import Kit
from bridge.testing.scene import Scene, require
from bridge.testing.server import Server

Check = Callable[[Scene], None]
UNKNOWN = "987654321098"


def checks(kit: type[Kit]) -> Iterator[Check]:
    """Yield the checks that apply to `kit`."""
    yield from (
        healthy,
        pull_lists_everything,
        pull_twice,
        resume_from_any_cursor,
        change_is_seen,
        bad_record,
        look_in_order,
    )
    yield from (look_is_fresh, documents_are_harmless)
    if kit.keeps_reminders:
        yield foreign_reminders
    if kit.over_http:
        yield from (reads_are_repeated, server_errors, pages_for_people, broken_answers, wrong_types)
        yield from (credentials_refused, rate_limited, redirects_refused, secrets_stay_in)


def healthy(scene: Scene) -> None:
    """`check` finds a good account good, and every act under test usable."""
    scene.kit.seed(1)
    health = scene.connector.check()
    require(health.ok, f"check() says the account is not well: {health.findings}")
    missing = scene.kit.available() - health.acts
    require(not missing, f"check().acts lacks {sorted(missing)}")
    require(health.acts <= scene.connector.acts, "check().acts has more than the connector's acts")


def pull_lists_everything(scene: Scene) -> None:
    """A full pull brings every open invoice with its debtor, over several pages, and says that it was complete."""
    seeded = scene.kit.seed(7)
    batches = scene.pull()
    found = {invoice.id: invoice for batch in batches for invoice in batch.invoices}
    require(set(seeded) <= set(found), f"pull() missed {sorted(set(seeded) - set(found))}")
    debtors = {debtor.id for batch in batches for debtor in batch.debtors}
    for id_ in seeded:
        require(found[id_].open > 0, f"invoice {id_} was seeded open, pull() says open = {found[id_].open}")
        require(found[id_].debtor_id in debtors, f"the debtor {found[id_].debtor_id} of invoice {id_} did not come")
    require(any(batch.complete for batch in batches), "no batch of a full pull says `complete`")
    require(not any(batch.rejects for batch in batches), "pull() rejects good records")


def pull_twice(scene: Scene) -> None:
    """Pulling twice gives the same records."""
    scene.kit.seed(4)
    first, second = _records(scene.pull()), _records(scene.pull())
    require(first == second, f"two full pulls differ: {_difference(first, second)}")


def resume_from_any_cursor(scene: Scene) -> None:
    """A pull that is resumed from any batch's cursor loses nothing."""
    scene.kit.seed(7)
    batches = scene.pull()
    everything = _records(batches)
    for number, batch in enumerate(batches):
        resumed = _records([*batches[: number + 1], *scene.pull(batch.cursor)])
        lost = set(everything) - set(resumed)
        require(not lost, f"resumed after batch {number + 1} of {len(batches)}, the pull lost {sorted(lost)}")


def change_is_seen(scene: Scene) -> None:
    """A payment after the last pull reaches the next one: the invoice comes paid, or a complete listing lacks it."""
    paid, other = scene.kit.seed(2)
    cursor = scene.pull()[-1].cursor
    scene.kit.pay(paid)
    batches = scene.pull(cursor)
    news = {invoice.id: invoice for batch in batches for invoice in batch.invoices}
    complete = any(batch.complete for batch in batches)
    seen = news[paid].open <= 0 if paid in news else complete
    require(seen, f"invoice {paid} was paid, but the next pull does not show it")
    require(not complete or other in news, f"a complete listing lacks the open invoice {other}")
    require(other not in news or news[other].open > 0, f"invoice {other} was not paid, but the next pull says so")


def bad_record(scene: Scene) -> None:
    """A record that does not fit is set aside with its field and raw form; the rest arrives."""
    bad, *good = scene.kit.seed(4)
    field = scene.kit.break_record(bad)
    batches = scene.pull()
    rejects = [reject for batch in batches for reject in batch.rejects]
    require(len(rejects) == 1, f"one record was spoilt, pull() rejects {len(rejects)}")
    reject = rejects[0]
    require(
        bad in (reject.provider_id, *reject.raw.replace('"', " ").replace(";", " ").split()),
        "the reject does not name its record",
    )
    require(reject.field == field, f"the reject names field {reject.field!r}, not {field!r}")
    require(reject.reason, "the reject gives no reason")
    require(reject.raw, "the reject has no raw record")
    arrived = {invoice.id for batch in batches for invoice in batch.invoices}
    require(set(good) <= arrived, f"because of one bad record, {sorted(set(good) - arrived)} did not arrive")
    require(bad not in arrived, "the bad record arrived all the same")


def look_in_order(scene: Scene) -> None:
    """`look` answers one snapshot per invoice, in order, and says which are unknown."""
    seeded = scene.kit.seed(3)
    wanted = [seeded[2], UNKNOWN, seeded[0], seeded[1]]
    snapshots = scene.look(*wanted)
    require(
        [s.invoice_id for s in snapshots] == wanted, f"look() answered {[s.invoice_id for s in snapshots]} for {wanted}"
    )
    for snapshot in snapshots:
        known = snapshot.invoice_id != UNKNOWN
        require(snapshot.found is known, f"look() says found = {snapshot.found} for {snapshot.invoice_id}")
        require((snapshot.invoice is not None) is known, f"look() and its invoice disagree on {snapshot.invoice_id}")
        if snapshot.invoice is not None:
            require(snapshot.invoice.id == snapshot.invoice_id, "the snapshot has another invoice")
            require(snapshot.debtor is not None, "the snapshot has no debtor")
    require(not list(scene.connector.look([])), "look() at nothing answers something")


def look_is_fresh(scene: Scene) -> None:
    """What happens between pull and `look` is seen by `look`."""
    paid, other = scene.kit.seed(2)
    before = {snapshot.invoice_id: snapshot for snapshot in scene.look(paid, other)}
    invoice = before[paid].invoice
    require(invoice is not None and invoice.open > 0, "look() does not show the open invoice")
    refs = [Ref.invoice(id_, snapshot.invoice.number if snapshot.invoice else None) for id_, snapshot in before.items()]
    scene.kit.pay(paid)
    if not scene.kit.fresh:
        scene.pull()
    after = {snapshot.invoice_id: snapshot for snapshot in scene.connector.look(refs)}
    now = after[paid].invoice
    require(now is not None and now.open <= 0, "look() does not see a payment made after the pull")
    still = after[other].invoice
    require(still is not None and still.open > 0, "look() sees a payment that was not made")


def foreign_reminders(scene: Scene) -> None:
    """A reminder made by hand at the provider comes with pull and with `look`."""
    reminded, other = scene.kit.seed(2)
    reminder = scene.kit.remind_by_hand(reminded)
    pulled = [(n.id, n.invoice_id) for batch in scene.pull() for n in batch.notices]
    require((reminder, reminded) in pulled, f"pull() does not bring the reminder {reminder} of invoice {reminded}")
    first, second = scene.look(reminded, other)
    require(reminder in {notice.id for notice in first.notices}, "look() does not bring the reminder made by hand")
    require(not second.notices, "look() brings a reminder for an invoice that has none")


def documents_are_harmless(scene: Scene) -> None:
    """Fetching the original document leaves no trace at the provider."""
    (id_,) = scene.kit.seed(1)
    before = scene.look(id_)[0]
    try:
        content = scene.connector.document(Ref.invoice(id_, before.invoice.number if before.invoice else None))
    except NotSupported:
        return
    require(content.startswith(b"%PDF"), "document() is no PDF")
    after = scene.look(id_)[0]
    require(
        before.invoice == after.invoice and before.notices == after.notices,
        "document() changed the invoice at the provider",
    )
    for act in scene.kit.available():
        require(scene.kit.effects(act, id_) == 0, f"document() had the effect of {act}")


# -------------------------------------------------------------------------------------------------- bad days of providers


def reads_are_repeated(scene: Scene) -> None:
    """A read survives a passing fault."""
    seeded = set(scene.kit.seed(2))
    for fault in (scene.server.faults.cut_before, scene.server.faults.truncate, scene.server.faults.html):
        fault(scene.kit.reads, method="GET")
        require(seeded <= set(scene.invoices()), "pull() lost records on a passing fault")
    scene.server.faults.status(500, scene.kit.reads, method="GET")
    require(seeded <= set(scene.invoices()), "pull() lost records on a passing fault")


def server_errors(scene: Scene) -> None:
    """A lasting server error ends in RetryLater."""
    scene.kit.seed(1)
    scene.server.faults.status(500, scene.kit.reads, method="GET", times=None)
    scene.raised(RetryLater, scene.pull, "pull() while the provider answers 500")
    with scene.server.refusing():
        scene.raised(RetryLater, scene.pull, "pull() while nothing listens")


def pages_for_people(scene: Scene) -> None:
    """An HTML page instead of data ends in RetryLater or BadAnswer."""
    scene.kit.seed(1)
    scene.server.faults.html(scene.kit.reads, method="GET", times=None)
    scene.raised(RetryLater, scene.pull, "pull() while the provider answers a page")


def broken_answers(scene: Scene) -> None:
    """Truncated and absurdly nested answers end in a typed error."""
    scene.kit.seed(1)
    scene.server.faults.truncate(scene.kit.reads, method="GET", times=None)
    scene.raised(RetryLater, scene.pull, "pull() of truncated answers")
    scene.server.faults.clear()
    scene.server.faults.status(200, scene.kit.reads, body="[" * 100_000, method="GET", times=None)
    scene.raised(RetryLater, scene.pull, "pull() of an absurdly nested answer")


def wrong_types(scene: Scene) -> None:
    """An answer of another shape ends in BadAnswer, or in rejects; it is never taken for a complete, empty list."""
    scene.kit.seed(1)
    shapes: list[Any] = ["text", 7, [1, "two", None], {"unexpected": []}, {}, None, True]
    for shape in shapes:
        scene.server.faults.reshape(lambda _, shape=shape: shape, scene.kit.reads, method="GET", times=None)  # type: ignore[misc]
        try:
            batches: list[Batch] = scene.pull()
        except BadAnswer:
            batches = []
        except BridgeError as error:
            require(isinstance(error, Refused), f"pull() of {shape!r} raised {type(error).__name__}: {error}")
            batches = []
        complete = any(batch.complete for batch in batches)
        require(not complete, f"pull() takes {shape!r} for a complete list of open invoices")
        scene.server.faults.clear()


def credentials_refused(scene: Scene) -> None:
    """Refused credentials stop the account."""
    scene.kit.seed(1)
    scene.server.faults.status(401, body={}, method="GET", times=None)
    scene.raised(ConfigError, scene.pull, "pull() with refused credentials")


def rate_limited(scene: Scene) -> None:
    """A 429 is RetryLater with the provider's wait, and the provider is left alone until then."""
    scene.kit.seed(1)
    scene.server.faults.status(429, scene.kit.reads, body={}, headers={"Retry-After": "600"}, method="GET")
    error = scene.raised(RetryLater, scene.pull, "pull() while the provider answers 429")
    require(590 <= error.after.total_seconds() <= 600, f"the provider asked for 600 s, the error says {error.after}")
    require(scene.http.budget().blocked_until is not None, "the budget does not show until when the account is blocked")
    before = len(scene.server.log)
    scene.raised(RetryLater, scene.pull, "pull() while the account is blocked")
    require(len(scene.server.log) == before, "the provider was called although it asked to be left alone")


def redirects_refused(scene: Scene) -> None:
    """A redirect is not followed, and the token goes nowhere else."""
    scene.kit.seed(1)
    with Server() as trap:
        scene.server.faults.redirect(trap.base_url + "/x", scene.kit.reads, method="GET", times=None)
        scene.raised((RetryLater, ConfigError), scene.pull, "pull() while the provider redirects")
        require(not trap.log, "a redirect was followed")


def secrets_stay_in(scene: Scene) -> None:
    """What is thrown back at us, our own secrets included, appears in no error, log line or recording."""
    scene.kit.seed(1)
    scene.http.prepare()
    secrets = " ".join(sorted(scene.secrets()))
    require(secrets, "the kit's settings have no secret to look for")
    for code in (400, 403, 500):
        body = {"error": {"message": f"bad token {secrets}"}, "errors": {"error": secrets}, "token": secrets}
        scene.front.faults.status(code, body=body, headers={"Set-Cookie": f"s={secrets}"}, method="GET", times=None)
        scene.raised(BridgeError, scene.pull, f"pull() while the provider answers {code}")
        scene.front.faults.clear()


def _records(batches: list[Batch]) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for batch in batches:
        for kind in ("debtors", "invoices", "payments", "notices"):
            found.update({(kind, record.id): record for record in getattr(batch, kind)})
    return found


def _difference(first: dict[tuple[str, str], Any], second: dict[tuple[str, str], Any]) -> str:
    return ", ".join(
        f"{kind} {id_}"
        for kind, id_ in sorted(first.keys() | second.keys())
        if first.get((kind, id_)) != second.get((kind, id_))
    )
