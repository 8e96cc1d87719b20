"""The conformance suite on the example connector, and the proof that it sees what it should see."""

from datetime import timedelta

import pytest

from bridge.contract import Act, Batch, CannotTell, RetryLater, Unclear
from bridge.testing.conformance import ConnectorConformance, NonconformantError, cases
from bridge.testing.example import Example, ExampleKit


class TestExample(ConnectorConformance, kit=ExampleKit):
    """The whole suite, directly and behind the OAuth gateway."""


# Each defect is planted in one method, and named with the checks that must see it.


class Gap(Example):
    def pull(self, cursor):
        for batch in super().pull(cursor):
            yield batch.model_copy(update={"invoices": batch.invoices[1:] if cursor else batch.invoices})


class NeverComplete(Example):
    def pull(self, cursor):
        return (batch.model_copy(update={"complete": False}) for batch in super().pull(cursor))


class Blind(Example):
    def pull(self, cursor):
        return (batch.model_copy(update={"notices": (), "rejects": ()}) for batch in super().pull(cursor))


class Stale(Example):
    kept = None

    def look(self, invoices):
        self.kept = self.kept or {snapshot.invoice_id: snapshot for snapshot in super().look(invoices)}
        return (self.kept[ref.id] for ref in invoices if ref.id in self.kept)


class Unordered(Example):
    def look(self, invoices):
        return sorted(super().look(invoices), key=lambda snapshot: snapshot.invoice_id)


class Denies(Example):
    def find(self, write):
        return None


class Forgetful(Example):
    def find(self, write):
        raise CannotTell(write.key)


class Repeats(Example):
    def push(self, write):
        try:
            return super().push(write)
        except (Unclear, RetryLater):
            return super().push(write)


class Optimist(Example):
    def push(self, write):
        try:
            return super().push(write)
        except Unclear as error:
            raise RetryLater("surely nothing happened") from error


class Impatient(Example):
    def push(self, write):
        try:
            return super().push(write)
        except RetryLater as error:
            raise RetryLater("soon", after=timedelta(seconds=1)) from error


class Double(Example):
    def push(self, write):
        if write.act is Act.SEND_EMAIL:
            super().push(write)
        return super().push(write)


class Fragile(Example):
    def _invoice(self, row):
        try:
            return super()._invoice(row)
        except Exception as error:
            raise ValueError(str(error)) from error


class Trusting(Example):
    @staticmethod
    def _object(data):
        return data if isinstance(data, dict) else {}

    @staticmethod
    def _rows(page):
        return page.get("items") or []


class Chatty(Example):
    def pull(self, cursor):
        try:
            yield from super().pull(cursor)
        except RetryLater as error:
            raise RetryLater(f"{error} {self.http.settings.secrets}", after=error.after) from error


class Listless(Example):
    def pull(self, cursor):
        yield Batch(cursor=next(iter(super().pull(cursor))).cursor, complete=True)


class Overpromising(Example):
    def push(self, write):
        return super().push(write.model_copy(update={"act": Act.CREATE}) if write.act is Act.TAG else write)


DEFECTS = [
    (Gap, {"resume_from_any_cursor"}),
    (NeverComplete, {"pull_lists_everything"}),
    (Blind, {"foreign_reminders", "bad_record"}),
    (Stale, {"look_is_fresh"}),
    (Unordered, {"look_in_order"}),
    (Denies, {"push_and_find", "answer_lost", "answer_late", "server_error", "page_for_people", "never_arrived"}),
    (Forgetful, {"push_and_find", "answer_lost", "answer_late", "server_error", "page_for_people"}),
    (Repeats, {"answer_lost", "answer_late", "server_error", "page_for_people", "never_arrived", "write_redirected"}),
    (Optimist, {"answer_lost", "answer_late", "server_error", "page_for_people", "write_redirected"}),
    (Impatient, {"write_rate_limited"}),
    (Double, {"push_and_find"}),
    (Fragile, {"bad_record"}),
    (Trusting, {"wrong_types"}),
    (Chatty, {"server_errors", "secrets_stay_in"}),
    (Listless, {"pull_lists_everything", "change_is_seen"}),
    (Overpromising, {"unsupported_acts"}),
]


@pytest.mark.parametrize(("defective", "named"), DEFECTS, ids=[defective.__name__ for defective, _ in DEFECTS])
def test_a_planted_defect_is_found(defective, named):
    """A connector with one planted defect fails every check that speaks of it, for one of its acts at least."""
    kit = type("Kit", (ExampleKit,), {"connector": defective})
    failed = {}
    for case in cases(kit):
        check = case.name.partition("[")[0]
        if case.mode == "direct" and check in named and check not in failed:
            try:
                case.run()
            except (NonconformantError, ValueError) as error:
                failed[check] = error
    assert set(failed) == named
