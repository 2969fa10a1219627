"""Which targets webhooks may be posted to: nothing private unless the operator allows it, however it is written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from outbound.errors import ConfigurationError
from outbound.settings import load_settings
from outbound.webhooks.targets import PrivateTargets, TargetRefused, examine, is_public, plain

pytestmark = pytest.mark.unit

NONE, ALL = PrivateTargets.read("false"), PrivateTargets.read("true")
PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "192.88.99.1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", PRIVATE)
def test_special_addresses_are_private(text: str) -> None:
    assert not is_public(plain(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_open_internet_are_public(text: str) -> None:
    assert is_public(plain(text))


def looking_up(*addresses: str) -> object:
    async def look_up(host: str, port: int) -> Sequence[str]:
        return addresses

    return look_up


@pytest.mark.parametrize("text", PRIVATE)
async def test_a_name_that_leads_to_a_private_address_is_refused_among_public_ones_too(text: str) -> None:
    for addresses in ((text,), ("8.8.8.8", text)):
        with pytest.raises(TargetRefused, match="OUTBOUND_WEBHOOK_PRIVATE_TARGETS") as caught:
            await examine("https://shop.example/x", NONE, looking_up(*addresses))  # type: ignore[arg-type]
        assert caught.value.code == "private_target"
    assert await examine("https://shop.example/x", ALL, looking_up(text))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "no_url"),
        ("shop.example/hooks", "no_url"),
        ("ftp://8.8.8.8/", "no_url"),
        ("file:///etc/passwd", "no_url"),
        ("https://", "no_url"),
        ("https://8.8.8.8:99999/", "no_url"),
        ("https://8.8.8.8:0/", "no_url"),
        ("https://[::1", "no_url"),
        ("https://8.8.8.8/#top", "no_url"),
        ("https://user@8.8.8.8/", "credentials_in_url"),
        ("https://user:secret@8.8.8.8/", "credentials_in_url"),
        ("https://:@8.8.8.8/", "credentials_in_url"),
        ("http://8.8.8.8/", "https_required"),
        ("https://127.0.0.1/", "private_target"),
        ("https://[::1]/", "private_target"),
        ("https://[::ffff:10.0.0.1]/", "private_target"),
        ("https://[fe80::1%25eth0]/", "private_target"),
        ("https://169.254.169.254/latest/meta-data", "private_target"),
        ("https://2130706433/", "no_url"),
        ("https://0x7f000001/", "no_url"),
        ("https://127.1/", "no_url"),
        ("https://0177.0.0.1/", "no_url"),
        ("https://127.0.0.1./", "no_url"),
    ],
)
async def test_what_may_not_be_posted_to_is_refused_with_the_reason(url: str, code: str) -> None:
    with pytest.raises(TargetRefused) as caught:
        await examine(url, NONE)
    assert caught.value.code == code
    assert caught.value.detail


async def test_public_addresses_are_posted_to() -> None:
    assert not await examine("https://8.8.8.8:8443/hooks?key=x", NONE)
    assert not await examine("https://shop.example/", NONE, looking_up("8.8.8.8"))  # type: ignore[arg-type]


async def test_http_is_for_private_networks_that_are_allowed() -> None:
    assert await examine("http://10.1.2.3:8080/hooks", ALL)
    with pytest.raises(TargetRefused, match="https"):
        await examine("http://8.8.8.8/hooks", ALL)


async def test_only_the_operators_networks_are_allowed() -> None:
    some = PrivateTargets.read(" 10.1.0.0/16, fd00::/8 ")
    assert await examine("http://10.1.2.3/", some)
    assert await examine("https://[fd12::1]/", some)
    assert await examine("https://[::ffff:10.1.2.3]/", some)
    for url in ("https://10.2.0.1/", "https://127.0.0.1/", "https://[fc00::1]/"):
        with pytest.raises(TargetRefused):
            await examine(url, some)


async def test_a_name_that_is_unknown_is_refused_and_not_believed() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(TargetRefused) as caught:
        await examine("https://shop.example/", NONE, unknown)
    assert caught.value.code == "unresolved"


def test_a_setting_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="OUTBOUND_WEBHOOK_PRIVATE_TARGETS"):
        load_settings(webhook_private_targets="10.1.2.3/16")
