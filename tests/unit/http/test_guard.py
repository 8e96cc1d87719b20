"""Connections lead to the internet, or where the operator said: never to a cloud's metadata, and into the own network only if allowed."""

import socket

import pytest
from pydantic import ValidationError

from bridge.errors import ConfigError
from bridge.http import Http, HttpSettings
from bridge.http.guard import Guard
from bridge.testing.server import Response, Server

METADATA = [
    "169.254.169.254",
    "fe80::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "0.0.0.0",
    "224.0.0.1",
]
OWN = [
    "10.0.0.5",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::1",
    "127.0.0.1",
    "::1",
    "::ffff:10.0.0.5",
    "64:ff9b::10.0.0.5",
    "64:ff9b:1::10.0.0.5",
    "::ffff:0:10.0.0.5",
    "fec0::1",
    "5f00::1",
    "2002:a00:5::1",
    "::10.0.0.5",
]


def settings(**more):
    return HttpSettings(base_url="https://provider.example/api", **more)


@pytest.mark.parametrize(
    "base",
    ["https://x.example:99999", "https://x y.example", "https://x..example", "https://x.example/a\r\nb", "file:///x", f"https://{'a' * 64}.de"],
)  # fmt: skip
def test_an_address_that_can_be_none(base):
    """A port, host or sign that no address has is named when the configuration is read, not when somebody is called."""
    with pytest.raises(ValidationError, match="is no address"):
        HttpSettings(base_url=base)


@pytest.mark.parametrize("address", METADATA)
def test_metadata_is_never_reached(address):
    """Link-local addresses and those of clouds' metadata are refused whatever the configuration allows."""
    assert not Guard(settings(private_network=True, plain_http=True)).allows("provider.example", address)


@pytest.mark.parametrize("address", OWN)
def test_the_own_network_only_if_allowed(address):
    """A public name that means a machine of the own network is refused, unless the account says that this is meant."""
    assert not Guard(settings()).allows("provider.example", address)
    assert Guard(settings(private_network=True)).allows("provider.example", address)
    assert Guard(settings(plain_http=True)).allows("gateway.intern", address)


def test_the_internet_and_this_machine():
    """Public addresses are open to any name, this machine to its own names: sandboxes need no switch."""
    assert Guard(settings()).allows("provider.example", "93.184.215.14")
    assert Guard(settings()).allows("provider.example", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert Guard(settings()).allows("127.0.0.1", "127.0.0.1")
    assert Guard(settings()).allows("localhost", "::1")


def test_a_name_that_changes_its_mind(monkeypatch):
    """The address that was connected to counts, not the one that was asked for before: nothing is sent to the wrong machine."""
    with Server() as server:
        server.add("*", ".*", lambda _: Response.json({}))
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *more, **named: real("127.0.0.1" if host == "provider.example" else host, *more, **named),
        )
        port = server.base_url.rpartition(":")[2]
        with Http(settings().model_copy(update={"base_url": f"http://provider.example:{port}"})) as http:
            for call in (lambda: http.read("/x"), lambda: http.write("POST", "/x", body={})):
                with pytest.raises(ConfigError, match=r"provider.example leads to 127\.0\.0\.1") as caught:
                    call()
                assert caught.value.cause == "address"
        assert not server.log
