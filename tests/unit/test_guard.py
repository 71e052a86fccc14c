"""Which addresses are public, and which hosts say themselves where they are."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.net.guard import is_public, names_its_place

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "192.0.0.192",
    "168.63.129.16",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001:db8::1",
    "2001::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    """The vendor may be there."""
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address: str) -> None:
    """This machine, its network, a cloud's metadata, and what nobody owns."""
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_in_another_is_judged_by_itself(inner: IPv4Address) -> None:
    """Mapped, translated by the network, or tunnelled: it ends up at the same place."""
    number = int(inner)
    outer = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
    ]
    assert {is_public(str(each)) for each in outer} == {is_public(str(inner))}


@given(st.ip_addresses())
def test_nothing_private_is_public(address: IPv4Address | IPv6Address) -> None:
    """Whatever the standard library knows to be special, on each version of Python."""
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    )
    embedded = isinstance(address, IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or str(address).startswith("64:ff9b:")
    )
    if special and not embedded:
        assert not is_public(str(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "[::1]", "fd00::1", "localhost", "LOCALHOST.", "vendor.localhost"],
)
def test_a_host_that_names_its_place(host: str) -> None:
    """Whoever wrote it meant it."""
    assert names_its_place(host)


@pytest.mark.parametrize(
    "host",
    ["api.example.com", "localhost.example.com", "notlocalhost", "127.1", "2130706433", "0x7f.1"],
)
def test_a_host_that_is_looked_up(host: str) -> None:
    """A name, and what only an old resolver takes for an address."""
    assert not names_its_place(host)
