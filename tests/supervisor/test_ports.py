"""Sockets that outlive those who serve them."""

import socket
from pathlib import Path

import pytest

from aimesh.net.listen import bind_tcp
from aimesh.settings import Address
from aimesh.supervisor.ports import Ports

ANY = Address(host="127.0.0.1", port=0)


def _port_of(ports: Ports) -> int:
    return int(ports.names[0].rpartition(":")[2])


def _is_answered(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_every_seat_has_a_socket_of_the_same_address() -> None:
    ports = Ports((ANY,))
    port = _port_of(ports)
    try:
        (first,), (second,) = ports.open(0), ports.open(1)
        assert first is not second
        assert first.getsockname() == second.getsockname() == ("127.0.0.1", port)
        assert ports.open(0) == [first]
    finally:
        ports.close()


def test_nobody_is_connected_before_somebody_listens_or_after_a_seat_was_vacated() -> None:
    ports = Ports((ANY,))
    port = _port_of(ports)
    try:
        assert not _is_answered(port)
        (seat,) = ports.open(0)
        assert not _is_answered(port)
        seat.listen(8)
        assert _is_answered(port)
        ports.vacate(0)
        assert not _is_answered(port)
        with pytest.raises(OSError, match="in use"):
            bind_tcp("127.0.0.1", port)
        ports.open(0)[0].listen(8)
        assert _is_answered(port)
    finally:
        ports.close()


def test_who_leaves_a_seat_leaves_its_queue_to_the_next() -> None:
    ports = Ports((ANY,))
    try:
        (seat,) = ports.open(0)
        first = seat.dup()
        first.listen(8)
        with socket.create_connection(("127.0.0.1", _port_of(ports)), timeout=5) as caller:
            caller.sendall(b"early")
            first.close()
            second = seat.dup()
            second.setblocking(True)
            accepted, _ = second.accept()
            assert accepted.recv(9) == b"early"
            accepted.close()
            second.close()
    finally:
        ports.close()


def test_an_address_that_another_gateway_serves_is_refused() -> None:
    ports = Ports((ANY,))
    address = Address(host="127.0.0.1", port=_port_of(ports))
    try:
        ports.open(0)[0].listen(8)
        with pytest.raises(OSError, match="in use"):
            Ports((address,))
    finally:
        ports.close()


def test_a_change_keeps_what_stays_and_closes_what_goes(tmp_path: Path) -> None:
    unix = Address(unix=str(tmp_path / "gate.sock"))
    before = Ports((ANY, unix))
    (kept, gone) = before.open(0)
    after = Ports((Address(host="127.0.0.1", port=_port_of(before)), ANY), before)
    try:
        assert after.open(0)[0] is kept
        assert _port_of(after) == _port_of(before)
        before.close(but=after)
        assert kept.fileno() >= 0
        assert gone.fileno() < 0
        assert not (tmp_path / "gate.sock").exists()
    finally:
        after.close()


def test_an_address_that_cannot_be_had_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    before = Ports((ANY,))
    try:
        with pytest.raises(FileExistsError):
            Ports((ANY, Address(host="127.0.0.1", port=0), Address(unix=str(tmp_path / "taken"))), before)
        before.open(0)[0].listen(1)
        assert _is_answered(_port_of(before))
    finally:
        before.close()


def test_all_seats_share_a_unix_socket(tmp_path: Path) -> None:
    ports = Ports((Address(unix=str(tmp_path / "gate.sock")),))
    try:
        assert ports.names == [f"unix:{tmp_path / 'gate.sock'}"]
        assert ports.open(0) == ports.open(1)
        ports.vacate(0)
        assert ports.open(1)[0].fileno() >= 0
    finally:
        ports.close()
