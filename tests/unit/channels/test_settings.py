"""The fine settings of mail and letter dispatch, from the configuration file to what arrives."""

import io

import pypdf
import pytest

from bridge.channels.smtp import Smtp
from bridge.config import load
from bridge.documents.letter import render
from bridge.model import Act, Content, Recipients, WriteBack
from tests.unit.documents.samples import a_letter

CONFIG = """
channels:
  smtp:
    host: 127.0.0.1
    port: {port}
    security: none
    sender_name: {name}
    sender_address: mahnung@agentur.example
    reply_to: {reply_to}
    bcc: [{bcc}]
letters: {{left: {left}, fold_marks: {marks}}}
"""


def opened(folder, **values):
    path = folder / "bridge.yaml"
    path.write_text(CONFIG.format(**values), encoding="utf-8")
    return load(path).config


def left_of(config):
    """Return where the text of a letter begins, in mm."""
    found = []

    def visit(text, matrix, own, font, size):
        if text.strip() == "Guten Tag,":
            found.append((own[4] * matrix[0] + matrix[4]) * 25.4 / 72)

    pypdf.PdfReader(io.BytesIO(render(a_letter(style=config.letters)))).pages[0].extract_text(visitor_text=visit)
    return round(found[0])


@pytest.mark.feature("S-AMX-53")
def test_fine_settings_take_effect(tmp_path, server, post):
    """Sender name, reply-to, BCC and the letter's margins are settings; changed, the next mail and the next letter show it."""
    content = Content(subject="Mahnung", text="Guten Tag", recipients=Recipients(to=("a@kunde.example",)))
    settings = {
        "port": server.port,
        "name": "Muster",
        "reply_to": "eins@agentur.example",
        "bcc": "chef@agentur.example",
    }
    for number, changes in enumerate(
        ({}, {"name": "Neu", "reply_to": "zwei@agentur.example", "bcc": "team@agentur.example"})
    ):
        settings |= changes
        config = opened(tmp_path, left=25 + 10 * number, marks="true", **settings)
        Smtp(config.channels["smtp"]).push(WriteBack(key=str(number), account="a", act=Act.MAIL, content=content))
        mail, envelope = post.messages[-1], post.accepted[-1]
        assert mail["From"] == f"{settings['name']} <mahnung@agentur.example>"
        assert mail["Reply-To"] == settings["reply_to"]
        assert envelope.rcpt_tos == ["a@kunde.example", settings["bcc"]]
        assert settings["bcc"] not in str(mail)
        assert left_of(config) == 25 + 10 * number
