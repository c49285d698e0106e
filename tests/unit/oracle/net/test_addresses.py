import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import SourceRefused
from oracle.net.addresses import CheckedResolver, check_address, is_loopback, refused_kind


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "140.82.121.3", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"]
)
def test_a_public_address_is_let_through(address):
    assert refused_kind(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address):
    assert refused_kind(address) is not None
    with pytest.raises(SourceRefused, match="public addresses only"):
        check_address("example.com", address, loopback_allowed=False)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_passes_that_python_calls_private(address):
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        assert refused_kind(str(address)) is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_any_ipv6_wrapping_is_refused(address):
    number = int(address)
    for wrapped in (
        f"::ffff:{address}",
        f"::{address}",
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::",
    ):
        assert refused_kind(wrapped) is not None


def test_loopback_may_be_allowed_and_allows_nothing_else():
    check_address("localhost", "127.0.0.1", loopback_allowed=True)
    check_address("localhost", "::1", loopback_allowed=True)
    for address in ("10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0"):
        with pytest.raises(SourceRefused):
            check_address("localhost", address, loopback_allowed=True)
    assert not is_loopback("::ffff:127.0.0.1")


class Names(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [ResolveResult(hostname=host, host=a, port=port, family=family, proto=0, flags=0) for a in self.addresses]

    async def close(self) -> None:
        pass


async def test_a_name_with_one_forbidden_address_among_good_ones_is_refused():
    resolver = CheckedResolver(loopback_allowed=False, inner=Names("8.8.8.8", "10.0.0.1"))
    with pytest.raises(SourceRefused, match=r"mixed\.example is a private one \(10\.0\.0\.1\)"):
        await resolver.resolve("mixed.example", 443)


async def test_a_name_with_public_addresses_resolves_to_exactly_those():
    found = await CheckedResolver(loopback_allowed=False, inner=Names("8.8.8.8", "1.1.1.1")).resolve("good.example", 443)
    assert [result["host"] for result in found] == ["8.8.8.8", "1.1.1.1"]
