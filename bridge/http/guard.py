"""Where connections may lead (SSRF): to the internet; into the own network only where the configuration says so; to a cloud's metadata never.

Judged by the address that was really connected to, before a byte is sent: a name that means another machine at every question (DNS
rebinding) gains nothing. Redirects are never followed, so that no other address comes into play.
"""

import ipaddress
import socket

from bridge.errors import ConfigError
from bridge.http.settings import HttpSettings, is_loopback

_NEVER = tuple(
    map(
        ipaddress.ip_network,
        ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
    )
)  # fmt: skip
"""Link-local networks, and the addresses at which clouds tell their machines secrets."""

_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))
"""Networks of IPv6 whose last four bytes are an address of IPv4 (RFC 6052, 8215, 7915, 4291)."""

_INTERNET = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out for the internet (RFC 4291 section 2.5.4)."""


class Guard:
    """Judges the addresses of one account."""

    def __init__(self, settings: HttpSettings) -> None:
        self._own_network = settings.private_network or settings.plain_http

    def check(self, host: str, connection: socket.socket) -> None:
        """Raise `ConfigError` where `host` led to an address that is not allowed; nothing has been sent then."""
        peer = connection.getpeername()
        if not isinstance(peer, tuple) or self.allows(host, str(peer[0])):
            return
        connection.close()
        raise ConfigError(
            "{host} leads to {address}, which is not on the internet; set private_network for a server in the own network",
            host=host,
            address=peer[0],
            cause="address",
        )

    def allows(self, host: str, address: str) -> bool:
        """Tell whether `address` is one that `host` may have."""
        found = _meant(ipaddress.ip_address(address.partition("%")[0]))
        if any(found in network for network in _NEVER if network.version == found.version):
            return False
        if found.is_multicast or found.is_unspecified:
            return False
        on_internet = found.is_global and (found.version == 4 or found in _INTERNET)
        return on_internet or self._own_network or (found.is_loopback and is_loopback(host))


def _meant(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address of IPv4 that one of IPv6 stands for (mapped, 6to4, translated), any other as it is."""
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if any(found in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if int(found) > 1 else found
    return found.ipv4_mapped or found.sixtofour or found
