from __future__ import annotations

import pytest

from newsletter.core.network import on_loopback, unreachable


@pytest.mark.parametrize(
    "url",
    [
        *("http://localhost:8000", "https://localhost", "https://papers.localhost", "http://127.0.0.1:8000"),
        *("https://127.1.2.3", "https://[::1]:8000", "https://10.0.0.7", "https://192.168.1.5", "https://172.16.0.1"),
        *("https://169.254.1.1", "https://[fe80::1]", "https://[fc00::1]", "https://[::ffff:10.0.0.7]", "https://0.0.0.0"),
        *("https://nas", "https://nas.local", "https://papers.internal", "https://box.home.arpa", "https://a.test."),
        *("https://100.64.0.1", "http://papers.example.org", "http://example.org/papers"),
    ],
)  # fmt: skip
def test_addresses_that_readers_elsewhere_cannot_use(url: str) -> None:
    assert unreachable(url)


@pytest.mark.parametrize(
    "url", ["https://papers.example.org", "https://8.8.8.8", "https://[2001:4860:4860::8888]/x"]
)
def test_addresses_that_readers_anywhere_can_use(url: str) -> None:
    assert unreachable(url) == ""


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("LOCALHOST.", True), ("127.0.0.5", True), ("::1", True), ("relay.localhost", True),
     ("10.0.0.1", False), ("mail.example.org", False), ("localhost.example.org", False), ("::2", False)],
)  # fmt: skip
def test_which_servers_are_on_this_machine(host: str, here: bool) -> None:
    assert on_loopback(host) is here
