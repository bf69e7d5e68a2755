"""Ports on the loopback interface are checked by binding them."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from shipworthy.local.errors import PortTaken
from shipworthy.local.ports import free_port, require_port
from tests.local.conftest import as_ordinary_user


def test_a_free_port_can_be_listened_on() -> None:
    with closing(socket.create_server(("127.0.0.1", free_port()))) as server:
        assert server.getsockname()[1] > 1023


def test_a_free_port_is_none_that_an_outgoing_connection_is_given() -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    found = {free_port() for _ in range(50)}
    assert len(found) > 40
    assert not [port for port in found if lowest <= port <= highest]


def test_a_port_somebody_listens_on_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", free_port()))) as rival:
        taken = rival.getsockname()[1]
        other = free_port()
        monkeypatch.setattr("random.SystemRandom.sample", lambda _, ports, count: [taken, other])
        assert free_port() == other


def test_a_taken_port_is_refused_and_accepted_once_it_is_free() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as rival:
        port = rival.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} for the web server is taken") as refusal:
            require_port(port, what="web server")
    assert refusal.value.code == "local.port_taken"
    assert require_port(port, what="web server") == port
    assert require_port(0, what="web server") > 0


def test_a_port_this_user_may_not_have_is_told_apart() -> None:
    outcome = as_ordinary_user(lambda: require_port(1, what="web server"))
    if outcome == 1:
        pytest.skip("this machine lets everyone listen below 1024")
    assert "may not be used by this user" in outcome["message"]
