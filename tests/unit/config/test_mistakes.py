"""Every mistake in bridge.yaml is named with file, line, key, value and what would be right; all in one go."""

import textwrap

import pytest

from bridge.config import BadConfig, load
from bridge.errors import ConfigError

ACCOUNT = """
accounts:
  main:
    connector: sevdesk
    http:
      base_url: https://my.sevdesk.de/api/v1
      auth: {type: token, token: "${TOKEN}"}
"""

MISTAKES = [
    # (lines below a good account, line, key, what the message says)
    ("acounts: {}", "acounts", "there is no such key (did you mean accounts?)"),
    ("dunning: {minimum_amout: 5}", "dunning.minimum_amout", "there is no such key (did you mean minimum_amount?)"),
    ("dunning: {minimum_amount: 1.234}", "dunning.minimum_amount = '1.234'", "more than two decimal places"),
    ("dunning: {minimum_amount: viel}", "dunning.minimum_amount = 'viel'", "expected an amount such as 12.50"),
    ("dunning: {cutoff: 2026-13-45}", "dunning.cutoff = '2026-13-45'", "expected a date such as 2026-09-01"),
    ("dunning: {cutoff: 2026-02-30}", "dunning.cutoff = '2026-02-30'", "expected a date such as 2026-09-01"),
    ("dunning: {sending: yes}", "dunning.sending = 'yes'", "expected one of 'after_go_live' or 'never'"),
    (
        "dunning: {automation: alles}",
        "dunning.automation = 'alles'",
        "expected one of 'propose', 'create', 'complete' or 'send'",
    ),
    ("dunning: {max_notices_per_run: 0}", "dunning.max_notices_per_run = 0", "must be at least 1"),
    ("dunning: {max_notices_per_run: zehn}", "dunning.max_notices_per_run = 'zehn'", "expected a whole number"),
    ("dunning: {minimum_interval_days: 400}", "dunning.minimum_interval_days = 400", "must be at most 365"),
    ("dunning: [1, 2]", "dunning:", "expected keys and values below it"),
    ('schedule: {run: ["02:30"]}', "schedule.run.0 = '02:30'", "the clock change skips or repeats the hour"),
    ('schedule: {run: ["7.30"]}', "schedule.run.0 = '7.30'", "expected a time of day such as 07:30"),
    ('schedule: {run: ["25:00"]}', "schedule.run.0 = '25:00'", "expected a time of day such as 07:30"),
    ("schedule: {time_zone: Berlin}", "schedule.time_zone = 'Berlin'", "expected the name of a time zone"),
    ("creditor: {iban: DE00123}", "creditor.iban = 'DE00123'", "is no valid IBAN"),
    ("creditor: {iban: DE88370400440532013000}", "creditor.iban = 'DE88370400440532013000'", "is no valid IBAN"),
    ("creditor: {country: Deutschland}", "creditor.country = 'Deutschland'", "does not fit the pattern"),
    ("creditor: {email: nobody}", "creditor.email = 'nobody'", "not a valid email address"),
    ("log: {format: xml}", "log.format = 'xml'", "expected one of 'auto', 'json' or 'console'"),
    ("monitor: {port: 70000}", "monitor.port = 70000", "must be at most 65535"),
    ("language: fr", "language = 'fr'", "expected one of 'de' or 'en'"),
    (
        "clock: 2026-09-01",
        "clock = '2026-09-01'",
        "cannot be set from outside while account main speaks to my.sevdesk.de",
    ),
    ("channels: {smpt: {}}", "channels.smpt = 'smpt'", "there is no such channel (did you mean smtp?)"),
    (
        "channels: {smtp: {host: x.example, sender_address: a@b.example, timout: 3}}",
        "channels.smtp.timout",
        "there is no such key (did you mean timeout?)",
    ),
    ("collection: {columns: {Nr: invoice_nummer}}", "collection.columns:", "there is no field 'invoice_nummer'"),
    ("collection: {columns: {}}", "collection.columns:", "needs at least one column"),
    (
        "collection: {columns: {Łódź: debtor_city}, encoding: cp1252}",
        "collection.encoding = 'cp1252'",
        "the title 'Łódź' of a column cannot be written in it",
    ),
    ("collection: {encoding: ebcdic}", "collection.encoding = 'ebcdic'", "expected one of 'utf-8'"),
    ("attachments: {terms: {path: missing.pdf}}", "attachments.terms", "cannot be read: No such file"),
    ("attachments: {terms: {path: bridge.yaml}}", "attachments.terms", "is neither PDF nor PNG nor JPEG"),
    ("colleagues: [{email: lena}]", "colleagues.0.email = 'lena'", "not a valid email address"),
    ("colleagues: [{email: a@example.com, accounts: [mian]}]", "colleagues.0.accounts", "there is no such account"),
    (
        "channels: {smtp: {host: x.example, sender_address: a@b.example, deadline: 180}}",
        "channels.smtp.deadline = '180'",
        "must be shorter than accounts.main.delivery.settling_seconds (180)",
    ),
    ("channels: {smtp: {host: x.example}}", "channels.smtp.sender_address", "this key is missing"),
    ("debtor_page: {public_url: 'http://mahnung.example.com'}", "debtor_page.public_url =", "begins with https://"),
    ("debtor_page: {public_url: 'https://u@mahnung.example.com'}", "debtor_page.public_url =", "host and path alone"),
    ("debtor_page: {public_url: 'https://mahnung.example.com?x=1'}", "debtor_page.public_url =", "host and path alone"),
    ("debtor_page: {public_url: mahnung}", "debtor_page.public_url = 'mahnung'", "begins with https://"),
    ("plans: {assign: [{plan: x, tags: []}]}", "plans.assign.0.tags", "matches nobody: the list is empty"),
    ("plans: {assign: [{plan: x, customers: ['']}]}", "plans.assign.0.customers.0", "must have at least 1"),
    ("plans: {assign: [{plan: x, countries: [Germany]}]}", "plans.assign.0.countries.0 = 'Germany'", "such as AT"),
    ("plans: {assign: [{plan: x, countries: [at]}]}", "plans.assign.0.countries.0 = 'at'", "matches nobody"),
    ("plans: {assign: [{plan: x, languages: [DE]}]}", "plans.assign.0.languages.0 = 'DE'", "such as en"),
    ("plans: {assign: [{plan: x, terms_days: [-1]}]}", "plans.assign.0.terms_days.0 = -1", "must be at least 0"),
    ("plans: {assign: [{plan: x, kinds: [firma]}]}", "plans.assign.0.kinds.0 = 'firma'", "'business', 'consumer'"),
    (
        "plans: {assign: [{plan: x, gross_from: 100, gross_below: 50}]}",
        "plans.assign.0.gross_below = '50.00'",
        "no amount is at least 100.00 and below 50.00",
    ),
    (
        "plans: {assign: [{plan: x, tags: [a, b]}, {plan: y, tags: [b, a]}]}",
        "plans.assign.1",
        "has the same conditions and comes first (remove one of them)",
    ),
    ("plans: {assign: [{plan: x, accounts: [mian]}]}", "plans.assign.0.accounts = 'mian'", "did you mean main?"),
    ("creditor: {iban: DE03120300000000202051}", "creditor.iban = 'DE03120300000000202051'", "is no valid IBAN"),
    ('creditor: {name: "Muster\\nBcc: x"}', "creditor.name = 'Muster\\nBcc: x'", "cannot be printed"),
    ('creditor: {managers: [Erika, "Max\\u0007"]}', "creditor.managers", "cannot be printed"),
    ("letters: {logo: missing.png}", "letters.logo =", "cannot be read: No such file"),
    ("letters: {logo: bridge.yaml}", "letters.logo =", "write the name of a .png, .jpg or .svg file"),
    ("letters: {form: C}", "letters.form = 'C'", "expected one of 'A' or 'B'"),
    ("letters: {color: blau}", "letters.color = 'blau'", "does not fit the pattern"),
    ("letters: {left: 90}", "letters.left = 90", "must be at most 40"),
    ("exclusions: {default: maybe}", "exclusions.default = 'maybe'", "does not fit the pattern"),
]

ACCOUNT_MISTAKES = [
    ("connector: sevdsk", "accounts.x.connector = 'sevdsk'", "there is no such connector (did you mean sevdesk?)"),
    ("connektor: sevdesk", "accounts.x.connector", "this key is missing"),
    (
        "{connector: sevdesk, settings: {page_sice: 5}}",
        "accounts.x.settings.page_sice",
        "there is no such key (did you mean page_size?)",
    ),
    (
        "{connector: sevdesk, settings: {page_size: 5000}}",
        "accounts.x.settings.page_size = 5000",
        "must be at most 1000",
    ),
    ("{connector: sevdesk, settings: {time_zone: Mars}}", "accounts.x.settings.time_zone = 'Mars'", "time zone"),
    (
        "{connector: sevdesk, federal_state: XX}",
        "accounts.x.federal_state = 'XX'",
        "expected a federal state such as BW",
    ),
    ("{connector: sevdesk, http: {auth: {type: token}}}", "accounts.x.http.base_url", "this key is missing"),
    (
        "{connector: sevdesk, http: {base_url: https://a.example, auth: {type: tocken}}}",
        "accounts.x.http.auth.type = 'tocken'",
        "expected one of",
    ),
    (
        "{connector: sevdesk, http: {base_url: https://a.example, auth: {type: basic, user: a}}}",
        "accounts.x.http.auth.password",
        "this key is missing",
    ),
    ("{connector: sevdesk, http: {base_url: http://far.example}}", "accounts.x.http", "must be https"),
    ("{connector: sevdesk, delivery: {lease_seconds: 20}}", "accounts.x.delivery", "lease_seconds must be longer"),
    (
        "{connector: sevdesk, delivery: {settling_seconds: 20}}",
        "accounts.x.delivery",
        "settling_seconds must be longer",
    ),
    (
        "{connector: sevdesk, http: {base_url: https://a.example}, delivery: {settling_seconds: 90}}",
        "accounts.x.http.write_deadline = '90'",
        "must be shorter than accounts.x.delivery.settling_seconds (90)",
    ),
]


def write(tmp_path, text):
    path = tmp_path / "bridge.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def problems(path, **env):
    with pytest.raises(BadConfig) as caught:
        load(path, {"TOKEN": "0123456789abcdef", **env})
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("lines", "key", "words"), MISTAKES, ids=[case[0] for case in MISTAKES])
def test_one_mistake_is_named_with_its_place(tmp_path, lines, key, words):
    """A wrong or there is no such key is named with file, line, key, value and what would be right."""
    path = write(tmp_path, ACCOUNT + lines + "\n")
    found = problems(path)
    assert len(found) == 1, found
    assert found[0].startswith(f"{path}:8: {key}"), found[0]
    assert words in found[0]


@pytest.mark.parametrize(("block", "key", "words"), ACCOUNT_MISTAKES, ids=[case[0] for case in ACCOUNT_MISTAKES])
def test_mistakes_of_an_account_are_named_with_its_name(tmp_path, block, key, words):
    """What a connector or the HTTP session refuses is named like everything else, below the account's name."""
    path = write(
        tmp_path,
        f"accounts:\n  x:\n    {block}\n" if ": {" in block or "{" not in block else f"accounts:\n  x: {block}\n",
    )
    found = problems(path)
    assert any(key in line and words in line for line in found), found
    assert all(line.startswith(f"{path}:") for line in found)


def test_all_mistakes_are_reported_together(tmp_path):
    """A file with five mistakes in different blocks names all five, in the order of the file."""
    path = write(
        tmp_path,
        """
        language: fr
        accounts:
          main: {connector: sevdsk}
          two: {connector: billomat, lease: 3}
        dunning: {cutoff: morgen}
        channels: {pigeon: {}}
        """,
    )
    found = problems(path)
    assert [int(line.split(":")[1]) for line in found] == [2, 4, 5, 6, 7]


def test_a_key_that_stands_twice_is_refused(tmp_path):
    """A key that stands twice is a mistake, never a silent winner."""
    found = problems(write(tmp_path, "language: de\nlanguage: en\n"))
    assert found[0].endswith("language: this key stands here twice (remove one of them)")
    assert ":2:" in found[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("accounts: [", "not valid YAML"),
        ("- a\n- b\n", "expected keys such as"),
        ("a: b: c\n", "not valid YAML"),
        ("a:\n\tb: 1\n", "not valid YAML"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line(tmp_path, text, words):
    """A file that is no YAML ends in one message with a line, not in a traceback."""
    path = write(tmp_path, text)
    found = problems(path)
    assert len(found) == 1
    assert words in found[0]
    assert found[0].startswith(f"{path}:")


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path):
    """A file that is not UTF-8 names the line of the first foreign byte."""
    path = tmp_path / "bridge.yaml"
    path.write_bytes(b"language: de\ncreditor:\n  name: M\xfcller\n")
    assert problems(path) == [f"{path}:3: this file is not UTF-8 (save it as UTF-8)"]


def test_a_missing_file_says_what_to_do(tmp_path):
    """Without a file the message names the command that writes one."""
    with pytest.raises(ConfigError, match="mahnbridge init"):
        load(tmp_path / "nothing.yaml", {})


def test_a_secret_never_stands_in_a_message(tmp_path):
    """A mistake beside or in a secret never shows the secret."""
    path = write(
        tmp_path,
        """
        accounts:
          main:
            connector: sevdesk
            http: {base_url: https://a.example, auth: {type: token, token: [hush-hush-4711], header: "x y"}}
        keys: {key: [hush-hush-4711]}
        """,
    )
    found = "\n".join(problems(path))
    assert "hush-hush" not in found
    assert "accounts.main.http.auth.token" in found


def test_yaml_is_read_as_it_looks(tmp_path):
    """YAML 1.2: NO is Norway, 01234 keeps its zero, 12:30 is a time, an amount keeps its cents."""
    path = write(
        tmp_path,
        """
        creditor: {country: NO, postcode: "01234", name: Üb & Söhne}
        schedule: {run: [12:30]}
        dunning: {minimum_amount: 10.50, cutoff: 2026-09-01}
        """,
    )
    config = load(path, {}).config
    assert config.creditor.country == "NO"
    assert config.schedule.run[0].isoformat() == "12:30:00"
    assert str(config.dunning.minimum_amount) == "10.50"
