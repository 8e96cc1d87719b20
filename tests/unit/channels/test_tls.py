"""Encrypted lines to a mail server with an authority of its own, as many houses have."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.channels.smtp import Smtp
from bridge.errors import ConfigError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return certificate and key file of a server at 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


class Secure(Controller):
    def __init__(self, handler, context, *, implicit):
        self._context, self._implicit = context, implicit
        super().__init__(handler, hostname="127.0.0.1", port=0, ssl_context=context if implicit else None)

    def factory(self):
        if self._implicit:
            return SMTP(self.handler)
        return SMTP(self.handler, tls_context=self._context, require_starttls=True)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(params=["starttls", "implicit"])
def secure(request, post, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    controller = Secure(post, context, implicit=request.param == "implicit")
    controller.start()
    yield {"port": controller.port, "security": request.param}
    controller.stop(no_assert=True)


def test_mail_over_an_encrypted_line(secure, settings, certificate, post, write):
    """With the house's own authority the line is encrypted and the mail arrives."""
    Smtp(settings(**secure, ca_file=str(certificate[0]))).push(write())
    assert len(post.accepted) == 1


def test_unknown_certificate_is_refused(secure, settings, post, write):
    """A certificate that nobody vouches for stops the account; nothing is sent."""
    with pytest.raises(ConfigError, match="certificate"):
        Smtp(settings(**secure)).push(write())
    assert post.accepted == []


def test_missing_authority_file_is_named(secure, settings, write):
    """A file of authorities that does not exist is named."""
    with pytest.raises(ConfigError, match=r"fehlt\.pem"):
        Smtp(settings(**secure, ca_file="fehlt.pem")).push(write())
