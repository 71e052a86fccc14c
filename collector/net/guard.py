"""Whether a name may lead where it leads: a guard against resolvers that lie.

A name of the vendor that suddenly leads into this machine or its network would let
whoever rules the name reach services there, credentials in hand.  So the address is
looked at once the connection stands and before anything is sent: what was looked up
earlier may have changed since.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# What looks public to some versions of Python, and leads to a cloud's own services: RFC 6890
# (metadata of Oracle), and the address of Azure's host in every virtual network.
_SERVICES = (IPv4Network("192.0.0.0/24"), IPv4Network("168.63.129.16/32"))
# RFC 6052: an IPv4 address in the last 32 bits, behind a translator of the network.
_TRANSLATED = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """A name that leads to an address which is not public."""

    def __init__(self, host: str, address: str) -> None:
        self.host = host
        self.address = address
        super().__init__(f"{host} leads to {address}")


def check(host: str, connected: socket.socket) -> None:
    """Close the socket and raise ``AddressRefused`` when ``host`` may not lead to its peer.

    A host that is itself a literal address, or a name of this machine's loopback
    (RFC 6761), was meant by whoever configured it.
    """
    address = str(connected.getpeername()[0])
    if not (is_public(address) or names_its_place(host)):
        connected.close()
        raise AddressRefused(host, address)


def explained(error: AddressRefused) -> tuple[str, str]:
    """Cause and remedy."""
    cause = f"{error.host} leads to {error.address}, which is no public address"
    return cause, "check name resolution; if it is right, set the input's allow_private_addresses"


def names_its_place(host: str) -> bool:
    """Whether a host says by itself where it is: a literal address, or ``localhost``."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    return True


def is_public(address: str) -> bool:
    """Whether an address, IPv4 or IPv6 with or without a zone, belongs to the open Internet.

    An IPv4 address inside an IPv6 one counts as itself.  Raises ``ValueError`` for what
    is no address.
    """
    found = ip_address(address)
    if isinstance(found, IPv4Address):
        return _is_open(found)
    inner = _inner(found)
    if inner is not None:
        return _is_open(inner)
    return _is_open(found) and not found.is_reserved and not found.is_site_local


def _is_open(address: IPv4Address | IPv6Address) -> bool:
    served = any(address in network for network in _SERVICES)
    return address.is_global and not address.is_multicast and not served


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this one end up at."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
