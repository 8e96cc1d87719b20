"""A small real IMAP4rev1 server on loopback, for the mailboxes that are read: log-in, EXAMINE, SEARCH, FETCH, both by UID too, LOGOUT.

Meant for tests, rehearsals and the demo; it keeps its mails in memory and reads no file.
"""

import base64
import re
import socketserver
from collections.abc import Callable
from email import message_from_bytes
from threading import Thread
from types import TracebackType
from typing import Self

_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^\s"()]+)')


class ImapServer:
    """A mailbox server; use as context manager. `folders` maps a folder's name to the mails in it, oldest first.

    With `valid`, which judges a token of OAuth 2.0, it takes tokens by `mechanism` and no password, as the big hosters do.
    """

    def __init__(
        self,
        user: str = "archiv",
        password: str = "geheim",
        *,
        valid: Callable[[str], bool] | None = None,
        mechanism: str = "XOAUTH2",
    ) -> None:
        self.user, self.password = user, password
        self.valid, self.mechanism = valid, mechanism
        self.folders: dict[str, list[bytes]] = {"INBOX": []}
        self.validity = 1
        self.asked: list[str] = []  # every line received but LOGIN, without its tag
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.host, self.port = "127.0.0.1", int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def append(self, mail: bytes, folder: str = "INBOX") -> None:
        """Put a mail into a folder, as a delivery would."""
        self.folders.setdefault(folder, []).append(mail)

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _Conversation(owner, self).run()

        return Handler


class _Conversation:
    def __init__(self, owner: ImapServer, handler: socketserver.StreamRequestHandler) -> None:
        self._owner, self._in, self._out = owner, handler.rfile, handler.wfile
        self._known = False
        self._mails: list[bytes] | None = None

    def run(self) -> None:
        self._say("* OK ready")
        while line := self._in.readline(8192):
            tag, _, rest = line.strip().partition(b" ")
            if not rest.upper().startswith((b"LOGIN", b"AUTHENTICATE")):
                self._owner.asked.append(rest.decode("ascii", "replace"))
            verb, _, rest = rest.partition(b" ")
            words = [(quoted or plain).decode("utf-8", "replace") for quoted, plain in _WORD.findall(rest)]
            self._say(
                f"{tag.decode('ascii', 'replace')} {self._answer(verb.decode('ascii', 'replace').upper(), words)}"
            )
            if verb.upper() == b"LOGOUT":
                return

    def _answer(self, verb: str, words: list[str]) -> str:
        if verb == "CAPABILITY":
            more = f" LOGINDISABLED AUTH={self._owner.mechanism}" if self._owner.valid else ""
            self._say(f"* CAPABILITY IMAP4rev1{more}")
            return "OK done"
        if verb in {"NOOP", "LOGOUT"}:
            if verb == "LOGOUT":
                self._say("* BYE")
            return "OK done"
        if verb == "LOGIN":
            self._known = self._owner.valid is None and words == [self._owner.user, self._owner.password]
            return "OK logged in" if self._known else "NO wrong user or password"
        if verb == "AUTHENTICATE" and self._owner.valid is not None:
            return self._by_token(words, self._owner.valid)
        if not self._known:
            return "BAD log in first"
        if verb in {"SELECT", "EXAMINE"}:
            self._mails = self._owner.folders.get(words[0])
            if self._mails is None:
                return "NO no such folder"
            self._say(f"* {len(self._mails)} EXISTS")
            self._say(f"* OK [UIDVALIDITY {self._owner.validity}] mails are numbered from 1")
            return "OK [READ-ONLY] done"
        if self._mails is None:
            return "BAD select a folder first"
        if verb == "UID" and words:
            verb, words = words[0].upper(), words[1:]
            return self._uid_search(words) if verb == "SEARCH" else self._uid_fetch(words)
        return self._search(words) if verb == "SEARCH" else self._fetch(words) if verb == "FETCH" else "BAD unknown"

    def _by_token(self, words: list[str], valid: Callable[[str], bool]) -> str:
        """Ask for the token, and say why it is not taken as the hosters do: a challenge that the client ends."""
        if words != [self._owner.mechanism]:
            return "NO no such mechanism"
        self._say("+ ")
        answer = base64.b64decode(self._in.readline(8192)).decode("utf-8", "replace")
        named = (f"user={self._owner.user}\x01", f"n,a={self._owner.user},\x01")
        token = answer.partition("auth=Bearer ")[2].partition("\x01")[0]
        self._known = answer.startswith(named) and answer.endswith("\x01\x01") and valid(token)
        if self._known:
            return "OK logged in"
        self._say("+ " + base64.b64encode(b'{"status":"401"}').decode())
        ended = base64.b64decode(self._in.readline(8192))
        return (
            "NO token not accepted"
            if ended == (b"" if self._owner.mechanism == "XOAUTH2" else b"\x01")
            else "BAD odd end"
        )

    def _uid_search(self, words: list[str]) -> str:
        """Answer `SINCE day`, for which all mails are young enough, and `UID n:*`, which always holds the last mail (RFC 3501)."""
        count = len(self._mails or ())
        first = int(words[1].partition(":")[0]) if words[0].upper() == "UID" else 1
        found = [str(number) for number in range(min(first, count), count + 1) if number]
        self._say(" ".join(("* SEARCH", *found)))
        return "OK done"

    def _uid_fetch(self, words: list[str]) -> str:
        """Answer with the beginning of a mail, or of its headers, as far as the partial fetch asks for it."""
        number, mails = int(words[0]) if words and words[0].isdigit() else 0, self._mails or []
        if not 1 <= number <= len(mails):
            return "OK done"
        whole = mails[number - 1]
        if "HEADER.FIELDS" in " ".join(words):
            whole = whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        most = re.fullmatch(r".*<0\.(\d+)", words[-1])
        data = whole[: int(most.group(1))] if most else whole
        self._say(f"* {number} FETCH (UID {number} BODY[]<0> {{{len(data)}}}")
        self._out.write(data + b")\r\n")
        return "OK done"

    def _search(self, words: list[str]) -> str:
        if len(words) != 3 or words[0].upper() != "HEADER":
            return "BAD only HEADER name value"
        found = [
            str(number)
            for number, mail in enumerate(self._mails or (), 1)
            if words[2].lower() in str(message_from_bytes(mail).get(words[1], "")).lower()
        ]
        self._say(" ".join(("* SEARCH", *found)))
        return "OK done"

    def _fetch(self, words: list[str]) -> str:
        number = int(words[0]) if words and words[0].isdigit() else 0
        mails = self._mails or []
        if not 1 <= number <= len(mails):
            return "BAD no such mail"
        value = message_from_bytes(mails[number - 1]).get("Message-ID", "")
        header = f"Message-ID: {value}\r\n\r\n".encode()
        self._say(f"* {number} FETCH (BODY[HEADER.FIELDS (MESSAGE-ID)] {{{len(header)}}}")
        self._out.write(header + b")\r\n")
        return "OK done"

    def _say(self, text: str) -> None:
        self._out.write(text.encode() + b"\r\n")
        self._out.flush()
