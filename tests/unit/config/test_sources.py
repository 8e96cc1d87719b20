"""Values come from the file, from included files, from the environment and from secret files."""

import textwrap

import pytest

from bridge.config import BadConfig, load

ACCOUNT = """
accounts:
  main:
    connector: sevdesk
    http:
      base_url: https://my.sevdesk.de/api/v1
      auth: {{type: token, {token}}}
"""


def write(folder, text, name="bridge.yaml"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def token(loaded):
    return loaded.config.accounts["main"].http.auth.token.get_secret_value()


def test_a_reference_reads_the_environment(tmp_path):
    """${NAME} is replaced by the environment's value, also inside a longer text."""
    path = write(tmp_path, ACCOUNT.format(token='token: "v1-${SEV}"'))
    assert token(load(path, {"SEV": "abc"})) == "v1-abc"


def test_a_reference_reads_the_file_that_name_file_names(tmp_path):
    """Where NAME is not set, NAME_FILE names the file that holds it, as Docker secrets do; its line end is no part of it."""
    secret = write(tmp_path, "abc-from-file\n", "run/secrets/sev")
    path = write(tmp_path, ACCOUNT.format(token='token: "${SEV}"'))
    assert token(load(path, {"SEV_FILE": str(secret)})) == "abc-from-file"


def test_a_key_with_file_at_its_end_reads_a_secret_file(tmp_path):
    """token_file: PATH reads the token from that file, relative to the configuration."""
    write(tmp_path, "abc-from-file", "secrets/sev")
    path = write(tmp_path, ACCOUNT.format(token="token_file: secrets/sev"))
    loaded = load(path, {})
    assert token(loaded) == "abc-from-file"
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('token: "${SEV}"', "the environment variable SEV is not set (set SEV, or SEV_FILE"),
        ('token: "${}"', "is no name of an environment variable"),
        ("token_file: nowhere/sev", "nowhere/sev cannot be read: No such file"),
        ("token: a, token_file: b", "both token and token_file are set"),
    ],
)
def test_a_secret_that_cannot_be_had_is_named(tmp_path, line, words):
    """A missing environment variable or file is named with line and key."""
    path = write(tmp_path, ACCOUNT.format(token=line))
    with pytest.raises(BadConfig) as caught:
        load(path, {})
    assert any(
        f"{path}:7: accounts.main.http.auth.token" in str(one) and words in str(one) for one in caught.value.problems
    )


def test_a_plain_secret_is_warned_of(tmp_path):
    """A secret in plain text works, and is warned of with its line, without being shown."""
    loaded = load(write(tmp_path, ACCOUNT.format(token="token: plain-4711-plain")), {})
    assert token(loaded) == "plain-4711-plain"
    assert [str(one).split(": ")[0] for one in loaded.warnings] == [f"{loaded.path}:7"]
    assert "4711" not in str(loaded.warnings[0])


def test_the_environment_sets_any_key(tmp_path):
    """MAHNBRIDGE__SECTION__KEY sets a key, with _FILE at its end from a file; names of accounts are found again."""
    secret = write(tmp_path, "postgresql://u:pw@h/db", "db")
    path = write(tmp_path, ACCOUNT.format(token="token: a").replace("main:", "main-shop:"))
    loaded = load(
        path,
        {
            "MAHNBRIDGE__DUNNING__MAX_NOTICES_PER_RUN": "3",
            "MAHNBRIDGE__ACCOUNTS__MAIN_SHOP__HTTP__AUTH__TOKEN": "other",
            "MAHNBRIDGE__DATABASE__URL_FILE": str(secret),
            "MAHNBRIDGE__CALENDAR__QUIET_DAYS": "[12-24, 12-31]",
        },
    )
    assert loaded.config.dunning.max_notices_per_run == 3
    assert loaded.config.accounts["main-shop"].http.auth.token.get_secret_value() == "other"
    assert loaded.database_url == "postgresql://u:pw@h/db"
    assert loaded.config.calendar.quiet_days == ("12-24", "12-31")


def test_a_mistake_in_the_environment_names_the_variable(tmp_path):
    """A wrong value from the environment names the variable, not a line of the file."""
    path = write(tmp_path, "language: de\n")
    with pytest.raises(
        BadConfig, match=r"environment MAHNBRIDGE__MONITOR__PORT: monitor\.port = 'x': expected a whole number"
    ):
        load(path, {"MAHNBRIDGE__MONITOR__PORT": "x"})


def test_included_files_are_one_configuration(tmp_path):
    """include: reads further files, their mistakes name them, and their paths start where they lie."""
    write(tmp_path, "accounts:\n  two: {connector: billomat}\nmappings: own\n", "parts/accounts.yaml")
    path = write(tmp_path, "include: [parts/accounts.yaml]\naccounts:\n  one: {connector: sevdesk}\n")
    loaded = load(path, {})
    assert set(loaded.config.accounts) == {"one", "two"}
    assert loaded.config.mappings == tmp_path / "parts" / "own"


def test_two_files_that_set_the_same_key_are_refused(tmp_path):
    """No included file silently overrides another one."""
    write(tmp_path, "language: en\n", "more.yaml")
    path = write(tmp_path, "include: more.yaml\nlanguage: de\n")
    with pytest.raises(BadConfig, match=r"more\.yaml:1: language: already set in .*bridge\.yaml:2"):
        load(path, {})


def test_a_file_that_includes_itself_is_refused(tmp_path):
    """A circle of includes ends in a message."""
    write(tmp_path, "include: bridge.yaml\n", "more.yaml")
    with pytest.raises(BadConfig, match="includes itself"):
        load(write(tmp_path, "include: more.yaml\n"), {})


def test_the_date_may_be_set_against_a_sandbox(tmp_path):
    """clock: is accepted where no account speaks to a provider's real host."""
    text = (
        ACCOUNT.format(token="token: a").replace("https://my.sevdesk.de/api/v1", "http://127.0.0.1:1/api/v1")
        + "clock: 2026-09-01\n"
    )
    assert load(write(tmp_path, text), {}).config.clock.isoformat() == "2026-09-01"


def test_a_path_of_the_environment_starts_at_the_working_folder(tmp_path, monkeypatch):
    """A relative path in a variable starts where the program was started; one in the file where the file lies."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "etc" / "bridge.yaml"
    path.parent.mkdir()
    path.write_text("data: here\n", encoding="utf-8")
    assert load(path, {}).config.data == tmp_path / "etc" / "here"
    assert load(path, {"MAHNBRIDGE__DATA": "there"}).config.data == tmp_path / "there"


def test_a_secret_file_named_by_the_environment_starts_at_the_working_folder(tmp_path, monkeypatch):
    """`..._FILE` in a variable is read, whether its path is whole or relative to where the program was started."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key.txt").write_text("k" * 40, encoding="utf-8")
    path = tmp_path / "etc" / "bridge.yaml"
    path.parent.mkdir()
    path.write_text("data: here\n", encoding="utf-8")
    for where in ("key.txt", str(tmp_path / "key.txt")):
        key = load(path, {"MAHNBRIDGE__KEYS__KEY_FILE": where}).config.keys.key
        assert key is not None
        assert key.get_secret_value() == "k" * 40


def test_a_file_of_authorities_lies_beside_the_configuration(tmp_path, monkeypatch):
    """`ca_file` of the mail server, of its mailboxes and of an account is found where bridge.yaml lies, wherever the program starts."""
    monkeypatch.chdir(tmp_path)
    path = write(
        tmp_path / "etc",
        """
        channels:
          smtp:
            host: mail.example
            sender_address: a@agentur.example
            ca_file: house.pem
            archive: {host: mail.example, user: a, password: "${P}", address: b@agentur.example, ca_file: tls/box.pem}
        """,
    )
    smtp = load(path, {"P": "p"}).config.channels["smtp"]
    assert smtp.ca_file == tmp_path / "etc" / "house.pem"
    assert smtp.archive.ca_file == tmp_path / "etc" / "tls" / "box.pem"
