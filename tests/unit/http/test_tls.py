"""Encrypted lines to a provider or gateway with an authority of its own, and lines through a proxy, against real servers on loopback."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.errors import ConfigError, RetryLater
from bridge.http import Http, HttpSettings, OAuth2Auth, TokenAuth

TOKEN = "s3cr3t-Token-0815"


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def signed(subject, key, issuer, issuer_key, *extensions):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a folder with a house's own authority (ca.pem), another one (other.pem), and a server's certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("house")
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "other", "server")}
    authority = (x509.BasicConstraints(ca=True, path_length=None), True)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    may_sign = (x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), True)

    def own(name):
        return x509.SubjectKeyIdentifier.from_public_key(keys[name].public_key()), False

    for name in ("ca", "other"):  # with all that a strict check (Python 3.13 and later) asks of an authority
        made = signed(named(name), keys[name], named(name), keys[name], authority, may_sign, own(name))
        (folder / f"{name}.pem").write_bytes(made)
    by_ca = (x509.AuthorityKeyIdentifier.from_issuer_public_key(keys["ca"].public_key()), False)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = signed(
        named("provider"), keys["server"], named("ca"), keys["ca"], (address, False), own("server"), by_ca
    )
    private = keys["server"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(certificate + private)
    return folder


class Handler(BaseHTTPRequestHandler):
    """A provider, or a proxy where it is asked for a whole address or to connect."""

    def do_GET(self):
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"id": 7}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def do_CONNECT(self):
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if self.server.refuses:
            self.send_error(self.server.refuses)
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=carry, args=(there, self.connection), daemon=True)
            back.start()
            carry(self.connection, there)
            back.join(5)
        self.close_connection = True

    def log_message(self, *_):
        pass


def carry(source, target):
    while True:
        try:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
        except OSError:
            break
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def serving(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.refuses = [], 0
    server.handle_error = lambda *_: None  # a handshake that the client breaks off
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    server.number = server.server_address[1]
    return server


@pytest.fixture
def provider(house):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(house / "server.pem")
    server = serving(context)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy():
    server = serving()
    yield server
    server.shutdown()
    server.server_close()


def http(provider, **more):
    url = f"https://127.0.0.1:{provider.number}"
    settings = HttpSettings(base_url=url, auth=TokenAuth(token=TOKEN), pace=1000, attempts=1, **more)
    return Http(settings, account="acme", sleep=lambda _: None)


def test_an_authority_of_the_house_is_trusted(provider, house):
    """With `ca_file` reads and writes go over the encrypted line, verified."""
    with http(provider, ca_file=str(house / "ca.pem")) as line:
        assert line.read("/things").data == {"id": 7}
        assert line.write("POST", "/things", body={}).data == {"id": 7}
    assert [(method, token) for method, _, token in provider.asked] == [("GET", TOKEN), ("POST", TOKEN)]


@pytest.mark.parametrize("trusted", [None, "other.pem"], ids=["system", "another_authority"])
def test_a_certificate_that_nobody_vouches_for_is_refused(provider, house, trusted):
    """No trust, no token: the read and the write end in a typed error that says so, nothing was sent, and it may be tried again."""
    with http(provider, ca_file=trusted and str(house / trusted)) as line:
        for call in (lambda: line.read("/things"), lambda: line.write("POST", "/things", body={})):
            with pytest.raises(RetryLater, match="certificate") as caught:
                call()
            assert caught.value.cause == "tls"
            assert TOKEN not in str(caught.value)
    assert provider.asked == []


def test_a_certificate_for_another_name_is_refused(provider, house):
    """The right authority vouches for another address: refused as well."""
    settings = HttpSettings(
        base_url=f"https://localhost:{provider.number}", auth=TokenAuth(token=TOKEN), ca_file=str(house / "ca.pem"), attempts=1
    )  # fmt: skip
    with Http(settings, sleep=lambda _: None) as line, pytest.raises(RetryLater, match="certificate"):
        line.read("/things")
    assert provider.asked == []


@pytest.mark.parametrize("content", [None, b"no certificate"], ids=["missing", "broken"])
def test_an_authority_file_that_cannot_be_used_is_named(provider, tmp_path, content):
    """A `ca_file` that does not exist, or holds no certificate, is a mistake of a person, and named."""
    path = tmp_path / "fehlt.pem"
    if content is not None:
        path.write_bytes(content)
    with http(provider, ca_file=str(path)) as line:
        for call in (lambda: line.read("/things"), lambda: line.write("POST", "/things", body={})):
            with pytest.raises(ConfigError, match=r"fehlt\.pem") as caught:
                call()
            assert caught.value.cause == "tls_ca"


def test_an_authority_file_for_the_token_endpoint_is_named_too(provider, tmp_path):
    """The same mistake where a token would have to be fetched first."""
    auth = OAuth2Auth(
        grant="client_credentials", client_id="c", client_secret=TOKEN, token_url=f"https://127.0.0.1:{provider.number}/token"
    )  # fmt: skip
    settings = HttpSettings(base_url="https://127.0.0.1:1", auth=auth, ca_file=tmp_path / "fehlt.pem", attempts=1)
    with Http(settings, sleep=lambda _: None) as line, pytest.raises(ConfigError, match=r"fehlt\.pem"):
        line.read("/things")


def test_through_the_proxy_of_the_settings(provider, house, proxy):
    """The line to the provider stands inside the proxy's: it is encrypted end to end, and the proxy never sees the token."""
    with http(provider, ca_file=str(house / "ca.pem"), proxy=f"http://127.0.0.1:{proxy.number}") as line:
        assert line.read("/things").data == {"id": 7}
        assert line.write("POST", "/things", body={}).data == {"id": 7}
    assert {method for method, _, _ in proxy.asked} == {"CONNECT"}
    assert {(path, token) for _, path, token in proxy.asked} == {(f"127.0.0.1:{provider.number}", None)}
    assert [method for method, _, _ in provider.asked] == ["GET", "POST"]


def test_plain_http_through_the_proxy(proxy):
    """Without encryption the proxy is asked for the whole address."""
    settings = HttpSettings(
        base_url="http://gateway.invalid/api", plain_http=True, proxy=f"http://127.0.0.1:{proxy.number}", attempts=1
    )
    with Http(settings, sleep=lambda _: None) as line:
        assert line.read("/things").data == {"id": 7}
    assert proxy.asked == [("GET", "http://gateway.invalid/api/things", None)]


def test_a_proxy_that_refuses_or_is_gone(provider, house, proxy):
    """A proxy that does not connect has sent nothing: a write may be tried again, and the error says that it was the proxy."""
    proxy.refuses = 407
    with http(provider, ca_file=str(house / "ca.pem"), proxy=f"http://127.0.0.1:{proxy.number}") as line:
        for call in (lambda: line.read("/things"), lambda: line.write("POST", "/things", body={})):
            with pytest.raises(RetryLater, match="proxy") as caught:
                call()
            assert caught.value.cause == "proxy"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    with (
        http(provider, ca_file=str(house / "ca.pem"), proxy=f"http://127.0.0.1:{closed}") as line,
        pytest.raises(RetryLater, match="proxy"),
    ):
        line.write("POST", "/things", body={})
    assert provider.asked == []
