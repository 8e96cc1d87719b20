"""What people do with the command line between two runs, and what they see: every command on a real store, sandbox and mail server."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.app import Bridge
from bridge.store import Store


@pytest.mark.feature("P-28")
@pytest.mark.feature("P-29")
def test_a_mail_that_could_not_go_out_is_visible_and_replayed_once(desk):
    """Mail server down: the step waits for a person, the level is unchanged; one replay sends exactly one mail."""
    desk.configure("    connector: sevdesk\n", "    connector: sevdesk\n    delivery: {retries: 1}\n")
    desk("run", "--no-deliver")
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk.mails.down = True
    assert desk.json("deliver", code=1)["parked"] == 1
    assert desk.json("cases")[0]["level"] == 0
    assert desk.json("search", "RE-1")["sent"][0]["state"] == "parked"
    [group] = desk.json("failures", "list", code=1)
    assert (group["account"], group["count"]) == ("main", 1)
    [item] = group["ids"]
    assert "451" in desk("failures", "show", item)
    assert desk.json("status", code=1)["failures"] == 1

    desk.mails.down = False
    dry = desk.json("replay", item, "--dry-run")
    assert (dry[0]["outcome"], dry[0]["dry_run"]) == ("again", True)
    assert desk.mails.received == []
    desk("replay", item, "--as", "Erika")
    desk("deliver")
    desk("deliver")
    assert len(desk.mails.received) == 1
    assert desk.json("cases")[0]["level"] == 1
    assert desk.json("failures", "list") == []


@pytest.mark.feature("P-27")
def test_an_overlapping_run_is_refused(desk):
    """While another process runs, a second run says so, stores nothing, and ends with exit code 1."""
    desk("pull")
    with Store.open(desk.folder / "data" / "mahnbridge.db") as other, other.leases.holding("dun", seconds=60):
        assert "Already running: the dunning run is already running" in desk("run", "--no-pull", code=1)
        desk.speak("de")
        assert "Läuft bereits:" in desk("run", "--no-pull", code=1)
    assert desk.json("approve") == []


@pytest.mark.feature("P-31")
def test_a_bad_record_is_set_aside_and_can_be_replayed(desk):
    """One invoice that does not fit stops nothing else; it is listed with its reason, and read again once it is right."""
    other = desk.sandbox.add_invoice(desk.customer, number="RE-2", issued_on=date(2026, 8, 3))
    desk.sandbox.spoil(other, invoiceDate="not a date")
    assert desk.json("pull")[0]["counts"]["rejects"] == 1
    assert [one["claims"][0]["number"] for one in desk.json("plan")["notices"]] == ["RE-1"]
    [group] = desk.json("failures", "list", code=1)
    assert group["kind"] == "reject"
    assert "not a date" in desk("failures", "show", group["ids"][0])
    status = desk.json("status", code=1)
    assert (status["failures"], status["rejects"]) == (1, 1)
    assert "One failure" in desk("status", code=1)
    desk.sandbox.heal(other)
    desk("replay", group["ids"][0], "--as", "Erika")
    assert desk.json("failures", "list") == []
    assert {one["claims"][0]["number"] for one in desk.json("plan")["notices"]} == {"RE-1", "RE-2"}


def test_blocks_deferrals_and_levels_are_recorded_with_a_name(live):
    """Block, unblock, defer and level change what the next run does, and the case says who did it, in both languages."""
    live("deliver")
    live.speak("de")
    assert all("1 Zahlungserinnerung" in live(*words) for words in (("search", "RE-1"), ("cases",)))  # sent in English
    live.speak("en")
    live.on(date(2026, 9, 15))
    assert "blocked until 20 Sep 2026: disputed (Erika)" in live("case", "block", "MA-000001", "--reason", "dispute", "--until", "2026-09-20", "--as", "Erika", "--note", "Ware defekt")  # fmt: skip
    assert live.json("explain", "RE-1")[0]["reason"] == "dispute"
    assert live.json("run")["planned"]["notices"] == []
    told = live("case", "unblock", "RE-1", "--as", "Erika", code=2)  # the invoice itself has none
    assert "`mahnbridge case unblock MA-000001`" in " ".join(told.split())
    live("case", "unblock", "MA-000001", "--as", "Erika")
    live("case", "defer", "MA-000001", "--days", "3", "--as", "Jens")
    held = live.json("explain", "RE-1")[0]
    assert (held["reason"], held["until"], held["next_on"]) == ("deferred", "2026-09-18", "2026-09-21")  # a Monday
    live("case", "unblock", "MA-000001", "--as", "Jens")
    live("case", "level", "MA-000001", "3", "--as", "Erika")
    assert [one["level"] for one in live.json("run")["planned"]["notices"]] == [3]
    live.speak("de")
    shown = live("case", "show", "MA-000001")
    for words in (
        "gesperrt: Einwand",
        "Ware defekt",
        "Zahlungsaufschub bis 18.09.2026",
        "Sperre aufgehoben",
        "Jens",
        "Erika",
    ):
        assert words in shown, shown
    assert "hat keine" in live("case", "unblock", "MA-000001", code=2) or "no block" in live(
        "case", "unblock", "MA-000001", code=2
    )


@pytest.mark.feature("S-AMX-50")
@pytest.mark.feature("S-AMX-51")
@pytest.mark.feature("S-AMX-18")
def test_a_case_that_is_closed_by_hand_stays_closed(live):
    """Closing by hand books nothing at the provider, drops what waits, and nothing restarts by itself."""
    assert "No payment was booked" in live("case", "close", "MA-000001", "--as", "Erika", "--note", "Kulanz")
    live.on(date(2026, 9, 15))
    live("run")
    assert live.mails.received == []
    assert live.json("cases") == []
    assert live.json("cases", "--view", "closed", "--period", "last-month") == []
    [case] = live.json("cases", "--view", "closed", "--period", "this-month")
    assert case["close_reason"] == "closed_by_hand"
    assert live.sandbox.document(live.invoice).open == 1190
    [told] = live.json("explain", "RE-1")
    assert (told["reason"], told["set_by"], told["set_on"]) == ("closed_by_hand", "Erika", "2026-09-01")
    assert told["text"] == "closed by hand (by Erika, 1 September 2026)"
    assert "closed already" in live("case", "close", "MA-000001", code=1)
    live("case", "reopen", "MA-000001", "--as", "Erika")
    assert [one["level"] for one in live.json("run")["planned"]["notices"]] == [1]


@pytest.mark.feature("P-37")
def test_sending_is_switched_off_and_never(live):
    """With sending off data stays fresh and nothing leaves; where the configuration says never, go-live is refused."""
    live("go-live", "--off", "--as", "Erika")
    assert live.json("run")["pulled"][0]["state"] == "done"
    assert live.mails.received == []
    status = live.json("status")
    assert (status["sending"], status["sending_by"]) == (False, "Erika")
    live.configure("sending: after_go_live", "sending: never")
    assert "dunning.sending is never" in live("go-live", "--yes", code=1)


@pytest.mark.feature("P-36")
def test_a_rate_limit_is_respected_and_shown(desk):
    """429 from the provider: the pull waits instead of hammering, and the status page says until when."""
    desk("pull")
    desk.sandbox.limit_rate(0, retry_after="120")
    [pulled] = desk.json("pull", code=1)
    assert pulled["state"] == "failed"
    assert pulled["retry_at"] is not None
    [account] = desk.json("status", code=None)["accounts"]
    assert account["blocked_until"] is not None
    assert "asked us to wait until" in desk("status", code=None)


def test_refusing_a_proposal_needs_a_reason_and_keeps_it(desk):
    """A refused notice is not sent, and says who refused it and why."""
    desk("run", "--no-deliver")
    assert "1 notice refused by Erika" in desk("approve", "--all", "--refuse", "Anruf vereinbart", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver")
    assert desk.mails.received == []
    assert "Anruf vereinbart" in desk("search", "RE-1")


def test_what_does_not_exist_is_said(desk):
    """Unknown accounts, invoices, cases, customers and failures end with exit code 2 and say what there is."""
    desk("pull")
    for words, said in [
        (("pull", "mian"), "there is no account 'mian'; there are main"),
        (("explain", "RE-99"), "there is no invoice 'RE-99'"),
        (("explain", "RE-1", "--on", "2026-01-01"), "lies in the past"),
        (("case", "show", "MA-99"), "there is no case 'MA-99'"),
        (("plan", "--customer", "77"), "there is no customer '77'"),
        (("failures", "show", "step-9"), "step-9 is not stopped"),
        (("failures", "show", "nine"), "is no failure"),
        (("replay",), "name the failures"),
        (("replay", "step-9", "--outcome", "went-out"), "went-out needs --evidence"),
        (("replay", "step-9", "--outcome", "not-sent"), "not-sent needs --evidence"),
        (("approve", "9"), "notice 9 does not wait for an approval"),
        (("letters", "posted"), "name the letters"),
        (("connect", "main"), "only oauth2 needs"),
    ]:
        assert said in desk(*words, code=2), words


@pytest.mark.parametrize("language", ["de", "en"])
def test_everything_fits_the_terminal(live, language):
    """No line of any table is wider than the terminal, and no amount is cut, in both languages."""
    live("deliver")
    live.on(date(2026, 9, 15))
    live("run", "--no-deliver")
    amount = "1.190,00 €" if language == "de" else "€1,190.00"
    for columns in (80, 120):
        live.speak(language, columns)
        for words in (
            ["status"],
            ["plan", "--all"],
            ["cases"],
            ["case", "show", "MA-000001"],
            ["search", "RE-1"],
            ["explain", "RE-1"],
            ["approve"],
        ):
            shown = live(*words, code=None)
            assert max(len(line) for line in shown.splitlines()) <= columns, shown
            assert amount in shown, shown


def test_status_says_which_approval_waits(desk):
    """After a run above the cap, and while a jump is held, status names the command that approves, and ends with exit code 1."""
    other = desk.sandbox.add_contact("Zweite GmbH", email="z@zweite.example", number="1002")
    desk.sandbox.add_invoice(other, number="RE-2", issued_on=date(2026, 8, 3))
    desk.configure("automation: propose", "automation: send")
    plans = desk.folder / "standard.yaml"
    plans.write_text(
        plans.read_text(encoding="utf-8").replace("automation: propose", "automation: send"), encoding="utf-8"
    )
    desk.configure("max_notices_per_run: 25", "max_notices_per_run: 1")
    desk("pull")
    desk("status")
    desk("run", "--no-deliver", code=1)
    told = " ".join(desk("status", code=1).split())
    assert "main: one invoice waits for approval" in told
    assert "`mahnbridge run --approve-limits`" in told
    desk("run", "--no-deliver", "--approve-limits")
    assert desk.json("status")["accounts"][0]["capped"] == 0

    with Store.open(desk.folder / "data" / "mahnbridge.db") as store, store.begin() as conn:
        now = store.now()
        store.mirror.accounts.pulled(conn, "main", at=now, full=False, totals=None, jump={"count": [30, 42]})
    told = " ".join(desk("status", code=1).split())
    assert "open invoices 30 -> 42" in told
    assert "`mahnbridge approve --limits main`" in told


def test_a_pause_is_called_a_pause(live):
    """While paused, deliver and status name the command that ends the pause, not the one that went before it."""
    live("pause", "--as", "Erika")
    for words in (["deliver"], ["status"]):
        told = " ".join(live(*words).split())
        assert "`mahnbridge pause --off`" in told
        assert "go-live" not in told
    assert live.mails.received == []
    live("pause", "--off", "--as", "Erika")
    assert "pause" not in live("deliver")
    assert len(live.mails.received) == 1


def test_a_failed_run_over_all_accounts_is_listed_once(desk):
    """With two accounts one dunning run failed: that is one failure, in the list of all and in that of each account."""
    listed = "  liste:\n    connector: generic_csv\n    settings: {inbox: inbox}\n"
    desk.configure("  main:\n", f"{listed}  main:\n")
    (desk.folder / "inbox").mkdir()
    desk("pull", code=None)
    with Store.open(desk.folder / "data" / "mahnbridge.db") as store, store.begin() as conn:
        run = store.runs.start(conn, "dun", actor="Erika", on=date(2026, 9, 1), at=store.now())
        store.runs.end(conn, run, at=store.now(), state="failed", counts={}, cause="disk", error="the disk is full")
    for words in ((), ("--account", "main"), ("--account", "liste")):
        groups = desk.json("failures", "list", *words, code=1)
        [ids] = [one["ids"] for one in groups if one["cause"] == "disk"]
        assert ids == [f"run-{run}"]
    listed = desk.json("failures", "list", code=1)
    assert desk.json("status", code=1)["failures"] == sum(one["count"] for one in listed)


@pytest.mark.feature("P-30")
def test_replay_adopts_what_the_provider_already_has(desk):
    """The answer to the provider's reminder was lost after it was made: replayed by a person it is adopted, and no second one is made."""
    plan = desk.folder / "standard.yaml"
    plan.write_text(plan.read_text("utf-8").replace("[mail]", "[email]"), encoding="utf-8")
    desk("run", "--no-deliver")
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk.sandbox.faults.cut_after("createInvoiceReminder")
    desk("deliver", code=None)
    assert len(desk.sandbox.reminders(desk.invoice)) == 1
    later = timedelta(minutes=30)
    with Bridge.open(
        desk.folder / "bridge.yaml",
        actor="Erika",
        env=desk.environment(),
        technical_clock=lambda: datetime.now(UTC) + later,
    ) as bridge:
        [group] = bridge.failures()
        (dry,) = bridge.replay(group.ids, dry_run=True)
        assert dry.outcome == "found"
        (done,) = bridge.replay(group.ids)
        assert done.outcome == "found"
        bridge.deliver()
        bridge.deliver()
        assert bridge.failures() == ()
        (case,) = bridge.cases()
        assert case.level == 1
    assert len(desk.sandbox.reminders(desk.invoice)) == 1
    assert desk.sandbox.ledger.count("mail", desk.invoice) + len(desk.mails.received) == 1
