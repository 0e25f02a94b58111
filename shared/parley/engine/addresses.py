"""Which addresses a URL from a message may lead to: public ones only.

The bot may have a URL from a person. Inside Lambda, a loopback address serves the next event and a link-local one
serves credentials; in a VPC, private addresses serve internal systems.
"""

import ipaddress
import socket

import httpx

from parley.errors import ParleyError

_PORTS = (None, 80, 443, 8080, 8443)
"""None: the default port of the scheme."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddressError(ParleyError):
    """The URL may not be called. The message says why, without the URL."""


def check_url(url: str, *, any_port: bool = False) -> None:
    """Raise ForbiddenAddressError unless scheme, port and host of `url` are allowed. The host is resolved later."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ForbiddenAddressError("the media has no usable address") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ForbiddenAddressError("the media has no usable address")
    if parsed.userinfo:
        raise ForbiddenAddressError("the media's address holds a user name or password")
    if parsed.port not in _PORTS and not any_port:
        raise ForbiddenAddressError(f"the media's address has port {parsed.port}; allowed are 80, 443, 8080 and 8443")


def public_address(host: str, port: int) -> str:
    """An IP address of `host` to connect to. Raises ForbiddenAddressError if one of its addresses is not public.

    The caller connects to the result and does not resolve the name again: a second answer of DNS could be another one.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ForbiddenAddressError("the host of the media's address is not known") from error
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise ForbiddenAddressError("the media's address is not public")
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether the IP address `text` is public, and every IPv4 address that it embeds."""
    address = ipaddress.ip_address(text.partition("%")[0])
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return not site_local and all(each.is_global and not each.is_multicast for each in (address, *_embedded(address)))


def _embedded(address: Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64."""
    if not isinstance(address, ipaddress.IPv6Address):
        return ()
    teredo = address.teredo[1] if address.teredo else None
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return tuple(each for each in (address.ipv4_mapped, address.sixtofour, teredo, nat64) if each is not None)
