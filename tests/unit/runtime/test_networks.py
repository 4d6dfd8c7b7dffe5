"""Where Mien connects to on somebody's behalf, and where it never does."""

import socket
from ipaddress import ip_address

import pytest

from mien.runtime.networks import CameraNetworks, ForbiddenAddressError

USUAL = CameraNetworks.parse("private,public")
OPEN = CameraNetworks.parse("private,public,loopback")


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.1.20", "172.31.0.9", "100.64.3.1", "fd12::1", "8.8.8.8"]
)
def test_networks_of_cameras_are_allowed(address: str) -> None:
    """Those of sites, and public ones."""
    assert USUAL.allows(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",  # metadata of most clouds
        "100.100.100.200",  # of Alibaba
        "fd00:ec2::254",  # of Amazon
        "fe80::1",
        "fe80::1%eth0",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
        "::",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::1",  # 6to4 of a link-local address
    ],
)
def test_some_addresses_are_never_allowed(address: str) -> None:
    """Not even where somebody allows all there is."""
    everything = CameraNetworks.parse("private,public,loopback,0.0.0.0/0,::/0")
    assert not everything.allows(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_allowed_only_where_that_is_said(address: str) -> None:
    """It is where the simulated cameras are, and Redis."""
    assert not USUAL.allows(ip_address(address))
    assert OPEN.allows(ip_address(address))


def test_networks_can_be_named() -> None:
    """A site names its cameras' network, and nothing else is reached any more."""
    rules = CameraNetworks.parse("10.20.0.0/16, fd12::/64")
    assert rules.allows(ip_address("10.20.3.4"))
    assert not rules.allows(ip_address("10.21.0.1"))
    assert not rules.allows(ip_address("8.8.8.8"))


@pytest.mark.parametrize("text", ["", "everything", "10.20.0.1/16", "private;public"])
def test_what_names_no_network_is_refused(text: str) -> None:
    """A mistyped rule must not silently allow or forbid."""
    with pytest.raises(ValueError, match="expected"):
        CameraNetworks.parse(text)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "2130706433", "0x7f000001", "0177.1"]
)
def test_other_spellings_of_an_address_are_known(host: str) -> None:
    """Whatever a resolver takes for an address is judged as one."""
    with pytest.raises(ForbiddenAddressError):
        USUAL.check_host(host)


def test_a_name_resolves_to_an_address_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several addresses the first allowed one is taken; with none, the name is refused."""
    answers = ["169.254.169.254", "10.0.0.5"]

    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (address, 554)) for address in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert USUAL.resolve("cam.local") == "10.0.0.5"
    answers.pop()
    with pytest.raises(ForbiddenAddressError, match=r"cam\.local"):
        USUAL.resolve("cam.local")
