"""
Which addresses a stranger's URL may lead to: public unicast, nothing else.

The lists are IANA's special-purpose registries (IPv4 and IPv6) as far as they are not globally reachable, tunnels and translators that
carry an IPv4 address inside, multicast, and clouds' metadata services on public addresses. `ipaddress.is_global` is not asked: what it
answers differs between Python releases.
"""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from oracle.errors import SourceRefused

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
"""All of IPv6's global unicast; ::1, mapped IPv4 (::ffff:0:0/96), NAT64 (64:ff9b::/96), fc00::/7, fe80::/10 and ff00::/8 lie outside."""

_REFUSED: tuple[tuple[_Network, str], ...] = tuple(
    (ipaddress.ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified"),
        ("10.0.0.0/8", "a private"),
        ("100.64.0.0/10", "a carrier's shared"),
        ("127.0.0.0/8", "a loopback"),
        ("168.63.129.16/32", "a metadata service's"),  # Azure's, on a public address
        ("169.254.0.0/16", "a link-local"),
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),
        ("192.0.2.0/24", "a documentation"),
        ("192.88.99.0/24", "a tunnel's"),
        ("192.168.0.0/16", "a private"),
        ("198.18.0.0/15", "a benchmarking"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
        ("::1/128", "a loopback"),
        ("2001::/23", "a tunnel's or reserved"),  # Teredo, ORCHID, benchmarking
        ("2001:db8::/32", "a documentation"),
        ("2002::/16", "a tunnel's"),  # 6to4
        ("3fff::/20", "a documentation"),
    )
)


def refused_kind(address: str) -> str | None:
    """What kind of forbidden address this is (`a private`, …), or None for a public one."""
    ip = ipaddress.ip_address(address)
    for network, kind in _REFUSED:
        if ip in network:
            return kind
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _PUBLIC_V6 or ip.scope_id is not None):
        return "a special"
    return None


def is_loopback(address: str) -> bool:
    """127.0.0.0/8 and ::1, and nothing that merely carries them."""
    ip = ipaddress.ip_address(address)
    return ip in ipaddress.IPv4Network("127.0.0.0/8") if isinstance(ip, ipaddress.IPv4Address) else ip == ipaddress.IPv6Address("::1")


def check_address(host: str, address: str, *, loopback_allowed: bool) -> None:
    """
    Let an address pass, or say why not.

    Raises:
        SourceRefused: it is not a public one.
    """
    kind = refused_kind(address)
    if kind is None or (loopback_allowed and is_loopback(address)):
        return
    raise SourceRefused(f"The address of {host} is {kind} one ({address}); code is fetched from public addresses only.")


class CheckedResolver(AbstractResolver):
    """
    Resolves a name and lets it pass only when every address it has is allowed.

    aiohttp connects to exactly the addresses returned here, so that a name which answers otherwise the second time gains nothing. Addresses
    written as such in a URL never come here: `Fetcher` checks them.
    """

    def __init__(self, *, loopback_allowed: bool, inner: AbstractResolver) -> None:
        self._loopback_allowed, self._inner = loopback_allowed, inner
        self.led_to_loopback = False

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of a name; SourceRefused when one of them is forbidden."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            check_address(host, result["host"], loopback_allowed=self._loopback_allowed)
        self.led_to_loopback = any(is_loopback(result["host"]) for result in found)
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()
