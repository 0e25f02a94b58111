"""The addresses that the callbacks of an app may come from, if its configuration lists them."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=64)
def networks(blocks: tuple[str, ...]) -> tuple[Network, ...]:
    """The blocks of `Config.callback_ips`. Raises ValueError, which names the entry that is no address or block."""
    found: list[Network] = []
    for number, block in enumerate(blocks):
        try:
            found.append(ipaddress.ip_network(block))
        except ValueError as error:
            expected = "write an address, or a block such as 203.0.113.0/24"
            raise ValueError(f"callback_ips[{number}]: {error}; {expected}") from error
    return tuple(found)


def is_listed(source: str, blocks: Sequence[str]) -> bool:
    """Whether the address `source` is in one of `blocks`. A request whose address is not known is not."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in networks(tuple(blocks)))
