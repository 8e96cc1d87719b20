"""The debtor's page: by the link in a real mail, over real HTTP, on a store that the real program made."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests

from bridge.app import Bridge
from bridge.page import PageServer
from bridge.policy.links import Links

pytestmark = pytest.mark.xdist_group("e2e-page")

TODAY = date(2026, 9, 1)
PUBLIC = "https://mahnung.example.com/antwort"


class Visitor:
    """Somebody with a browser without scripts; `link` is what stands in their mail."""

    def __init__(self, server, link):
        self.base = f"http://127.0.0.1:{server.number}"
        self.token = urlsplit(link).path.rpartition("/")[2]
        self.session = requests.Session()

    def get(self, path="", **more):
        return self.session.get(f"{self.base}/{self.token}{path}", timeout=20, **more)

    def post(self, kind, **fields):
        return self.session.post(f"{self.base}/{self.token}/{kind}", data=fields, timeout=20)

    def answer(self, kind, **fields):
        """Fill in the form, read the page that asks whether it is right, and confirm it as that page says."""
        asked = self.post(kind, **fields)
        assert asked.status_code == 200, asked.text
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.text)
        hidden = [(name, html.unescape(value)) for name, value in fields]
        assert ("confirmed", "yes") in hidden
        done = self.session.post(asked.url, data=hidden, timeout=20)
        assert done.status_code == 200, done.text
        return done


def link_in(mail):
    return re.search(r"https://mahnung\.example\.com/antwort/\S+", mail.get_body(("plain",)).get_content())[0]


@pytest.fixture
def sent(desk):
    """An agency with the page switched on, whose first reminders have gone out by mail to four customers."""
    path = desk.folder / "bridge.yaml"
    path.write_text(
        path.read_text("utf-8") + f"\ndebtor_page: {{public_url: {PUBLIC}, port: 0, proxies: 0}}\n", encoding="utf-8"
    )
    for number, who in enumerate(("andere", "dritte", "vierte"), start=2):
        other = desk.sandbox.add_contact(f"{who.title()} GmbH", email=f"buch@{who}.example", number=f"100{number}")
        desk.sandbox.add_invoice(other, number=f"RE-{number}", gross="500.00", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver")
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver")
    return desk


@pytest.fixture
def bridge(sent):
    with Bridge.open(sent.folder / "bridge.yaml", actor="service", env=sent.environment()) as opened:
        yield opened


@pytest.fixture
def server(bridge):
    running = PageServer(bridge)
    yield running
    running.close()


@pytest.fixture
def visitors(sent, server):
    """The customers, by the links in their mails."""
    return {to[0].split("@")[1]: Visitor(server, link_in(mail)) for to, mail in sent.mails.received}


def tasks(bridge):
    with bridge.store.reading() as conn:
        return bridge.store.tasks.listing(conn)


def holds(desk, number):
    (told,) = desk.json("explain", number)
    return told["reason"]


@pytest.mark.feature("N-10")
def test_a_debtor_disputes_without_a_login(sent, bridge, visitors):
    """The link shows what it is about, a dispute is confirmed once, pauses that invoice alone, and is a task for a person."""
    visitor = visitors["spaeth.example"]
    page = visitor.get()
    assert page.status_code == 200
    assert "RE-1" in page.text
    for secret in ("1.190", "1190", "Späth", "RE-2", "spaeth"):
        assert secret not in page.text
    assert "<script" not in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"].replace("default-src 'none'", "")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    asked = visitor.post("dispute", reason="Die Lieferung kam nie an <b>wirklich</b>")
    assert "&lt;b&gt;" in asked.text
    assert "<p>Invoice RE-1</p>" in asked.text
    assert holds(sent, "RE-1") != "dispute"  # not confirmed yet
    thanks = visitor.answer("dispute", reason="Die Lieferung kam nie an <b>wirklich</b>")
    assert "received your answer" in thanks.text
    visitor.answer("dispute", reason="Die Lieferung kam nie an <b>wirklich</b>")
    assert holds(sent, "RE-1") == "dispute"
    assert holds(sent, "RE-2") != "dispute"
    (task,) = tasks(bridge)
    assert task.title == "the customer answered: objection: Die Lieferung kam nie an <b>wirklich</b> (RE-1)"
    assert task.kind == "answer"
    shown = sent("case", "show", "RE-1")
    assert "Die Lieferung kam nie an" in shown
    sent.speak("de")  # whoever reads German reads who answered and what in German, whatever the service is set to
    german = " ".join(sent("case", "show", "RE-1").split())
    assert "debtor's link" not in german
    assert "Antwortlink der Mahnung" in german
    assert "Antwort des Kunden: Einwand" in german
    assert "Antwortlink der Mahnung" in " ".join(sent("explain", "RE-1").split())
    sent.speak("en")
    assert "debtor's link of notice" in " ".join(sent("case", "show", "RE-1").split())
    assert visitor.token not in shown


@pytest.mark.feature("N-10")
def test_opening_a_link_does_nothing(sent, bridge, visitors):
    """A mail scanner that opens every address of the page, with every parameter, changes nothing."""
    visitor = visitors["spaeth.example"]
    before = holds(sent, "RE-1")
    for kind in ("", "/paid", "/promise", "/dispute", "/copy", "/contact"):
        for query in ("", "?confirmed=yes&day=2026-09-01&reason=x"):
            assert visitor.get(kind + query).status_code == 200
    assert visitor.session.head(f"{visitor.base}/{visitor.token}", timeout=20).status_code == 200
    assert holds(sent, "RE-1") == before
    assert tasks(bridge) == []


ANSWERS = [
    ("spaeth", "RE-1", "paid", {"day": "2026-08-28"}, "says_paid", date(2026, 9, 8)),  # five bank working days
    ("andere", "RE-2", "promise", {"day": "10.09.2026"}, "promise_to_pay", date(2026, 9, 10)),
    ("dritte", "RE-3", "copy", {}, "invoice_excluded", date(2026, 9, 8)),
    ("vierte", "RE-4", "contact", {"reason": "Frau Neu"}, "address_unknown", None),
]


def test_each_answer_pauses_as_it_should(sent, bridge, visitors):
    """A payment is waited for, a promise until its day, a copy for a week, a wrong contact until a person has looked."""
    for who, number, kind, fields, reason, until in ANSWERS:
        visitors[f"{who}.example"].answer(kind, **fields)
        assert holds(sent, number) == reason
        case = sent.json("case", "show", number)
        assert [one["until"] for one in case["blocks"]] == [until.isoformat() if until else None]
    assert len(tasks(bridge)) == len(ANSWERS)
    for _, number, _, _, reason, until in ANSWERS:
        told = sent.json("explain", number, "--on", until or "2026-12-01")
        assert told[0]["reason"] == reason
        if until:
            told = sent.json("explain", number, "--on", until + timedelta(days=1))
            assert told[0]["reason"] != reason
    promised = next(one["id"] for one in sent.json("tasks", "list") if one["invoices"] == ["RE-2"])
    for language, said, held in (
        ("de", "Antwort des Kunden: zahlt am 10.09.2026 (RE-2)", "Antwort des Kunden: zahlt am 10.09.2026"),
        ("en", "the customer answered: will pay on 2026-09-10 (RE-2)", "the customer answered: will pay on 2026-09-10"),
    ):  # it was stored once, and is told in the language of whoever reads it
        sent.speak(language, columns=200)
        assert said in sent("tasks", "show", promised)
        assert held in sent("explain", "RE-2")
    visitors["spaeth.example"].answer("dispute", reason="Mangelhaft")
    for language, asked, objection, blocked in (
        (
            "de",
            "Antwort des Kunden: bitte Rechnung erneut senden",
            "Antwort über den Link: Einwand. Mangelhaft",
            "bis 08.09.2026, durch",
        ),
        (
            "en",
            "the customer answered: please send the invoice again",
            "answer through the link: objection. Mangelhaft",
            "until 8 Sep 2026, by",
        ),
    ):
        sent.speak(language, columns=200)
        for shown in (sent("explain", "RE-3"), sent("case", "show", "RE-3")):
            assert asked in shown
        assert shown.count(asked) == 4
        assert blocked in shown
        assert "Mangelhaft" in sent("tasks", "list")
        assert objection in sent("case", "show", "RE-1")


def test_what_cannot_be_is_asked_again(bridge, visitors):
    """A day out of bounds, a dispute without reason and a foreign invoice are refused in words, with what was entered kept."""
    visitor = visitors["spaeth.example"]
    for kind, fields, words in (
        ("promise", {"day": "2026-12-24"}, "between 1 September 2026 and 15 September 2026"),
        ("promise", {}, "enter a date"),
        ("paid", {"day": "2026-09-02"}, "between 1 September 2025 and 1 September 2026"),
        ("dispute", {"reason": "   "}, "give the reason"),
        ("dispute", {"reason": "x" * 1001}, "shorten the text"),
        ("dispute", {"reason": "x", "invoice": "99"}, "one of the invoices"),
    ):
        answer = visitor.post(kind, **fields)
        assert answer.status_code == 422, kind
        assert words in answer.text
        assert 'role="alert"' in answer.text
    assert tasks(bridge) == []
    assert (
        visitor.session.post(f"{visitor.base}/{visitor.token}/dispute", data=b"\xff\xfe=1", timeout=20).status_code
        == 422
    )
    large = {"reason": "x" * 20_000}
    assert visitor.post("dispute", **large).status_code == 422


def test_no_link_no_page(sent, visitors):
    """A forged, cut, foreign, expired or revoked link shows nothing, always the same; after a few misses one has to wait."""
    visitor = visitors["spaeth.example"]
    good = visitor.token
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    forged = Links(PUBLIC, [b"another key"], days=60).of("main:1:1:1:0:mail", TODAY).url.rpartition("/")[2]
    pages = []
    for token in (flipped, good[:-1], forged, "x", "..%2f" + good):
        visitor.token = token
        answer = visitor.get()
        assert answer.status_code == 404, token
        pages.append(answer.text)
    assert len(set(pages)) == 1
    assert "RE-1" not in pages[0]
    visitor.token = good
    for days, valid in ((60, True), (61, False)):
        moment = datetime(2026, 9, 1, 12, tzinfo=UTC) + timedelta(days=days)
        env = {"MAIN_TOKEN": sent.sandbox.token}
        path = sent.folder / "bridge.yaml"
        with Bridge.open(path, actor="later", env=env, clock=lambda moment=moment: moment) as later:
            assert (later.asked(good) is not None) is valid
    assert visitor.get().status_code == 200
    number = sent.json("cases")[0]["number"]
    for one in sent.json("cases"):
        sent("links", "revoke", one["number"], "--as", "Erika")
    assert visitor.get().status_code == 404
    assert all(one["revoked"] for one in sent.json("links", "list", number))
    for _ in range(10):
        visitor.token = "y"
        last = visitor.get()
    assert last.status_code == 429
    assert last.headers["Retry-After"] == "60"


def test_both_languages_and_a_path_of_its_own(visitors):
    """The page speaks the notice's language and the other on request, and works where the proxy keeps the path."""
    visitor = visitors["spaeth.example"]
    assert 'lang="en"' in visitor.get().text
    german = visitor.get("?lang=de")
    assert 'lang="de"' in german.text
    assert "/dispute?lang=de" in german.text
    done = visitor.session.post(f"{visitor.base}/{visitor.token}/copy?lang=de", data={"confirmed": "yes"}, timeout=20)
    assert "angekommen" in done.text
    for path in ("", "/paid", "/promise?lang=de"):
        assert requests.get(f"{visitor.base}/antwort/{visitor.token}{path}", timeout=20).status_code == 200, path
    assert requests.get(f"{visitor.base}/", timeout=20).status_code == 404
    assert requests.put(f"{visitor.base}/{visitor.token}/paid", timeout=20).status_code == 404


def test_a_notice_that_was_not_sent_has_no_page(desk):
    """The link of a proposal leads nowhere until the notice goes out; without `public_url` no text has a link."""
    desk("run", "--no-deliver")
    assert "mahnung.example.com" not in desk("approve")
    path = desk.folder / "bridge.yaml"
    path.write_text(path.read_text("utf-8") + f"\ndebtor_page: {{public_url: {PUBLIC}}}\n", encoding="utf-8")
    other = desk.sandbox.add_contact("Andere GmbH", email="buch@andere.example", number="1002")
    desk.sandbox.add_invoice(other, number="RE-2", gross="500.00", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver")
    with Bridge.open(desk.folder / "bridge.yaml", actor="Erika", env=desk.environment()) as bridge:
        with bridge.store.reading() as conn:
            texts = [one.content.text for one in bridge.store.outbox.listing(conn, states=("proposed",))]
        links = [found[0] for text in texts if (found := re.search(r"https://mahnung\S+", text))]
        assert len(links) == 1
        assert bridge.asked(links[0].rpartition("/")[2]) is None
    assert "not sent yet" in desk("links", "list", "RE-2")
    [notice] = [one["id"] for one in desk.json("approve") if one["claims"][0]["number"] == "RE-2"]
    desk("approve", notice, "--refuse", "Kulanz", "--yes", "--as", "Erika")
    [link] = desk.json("links", "list", "RE-2")
    assert (link["sent_on"], link["out"]) == (None, False)
    assert "never sent" in desk("links", "list", "RE-2")
