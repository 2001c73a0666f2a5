# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Calls to a real server that is slow in every way; sizes and times are scaled down."""

import json
import socket
import threading
import time
import tracemalloc
from contextlib import contextmanager, suppress

import pytest
from tools import transport
from tools.cloud_api import CloudApi
from tools.errors import CloudApiError

CONNECT, ANSWER = 0.3, 0.6  # seconds
OK = b"HTTP/1.1 200 OK\r\nContent-Length: "
BUFFER = 64 * 1024  # bytes that the kernel takes off the sender's hands
KB = 1024


@contextmanager
def server(handle):
    """Play Meta: `handle` gets each connection, and may take its time."""
    with socket.socket() as listener:
        # else the kernel takes a whole file, and nobody sees how slowly it is read
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve():
            with suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    threading.Thread(
                        target=talk, args=[connection], daemon=True
                    ).start()

        def talk(connection):
            with suppress(OSError), connection:
                handle(connection)

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        yield CloudApi(
            "EAAtoken",
            base_url=f"http://127.0.0.1:{port}",
            timeout=(CONNECT, ANSWER),
        )
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(autouse=True)
def small_buffers(monkeypatch):
    """Let the kernel take no more than BUFFER of what is written."""
    options = transport.HTTPConnection.default_socket_options
    monkeypatch.setattr(
        transport.HTTPConnection,
        "default_socket_options",
        [*options, (socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)],
    )


def head_of(connection):
    """Read until the body begins; return the head, and what came with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1)
    return received


def length_of(head):
    lines = head.decode().lower().split("\r\n")
    [line] = [line for line in lines if line.startswith("content-length:")]
    return int(line.partition(":")[2])


def answer(connection, body):
    raw = json.dumps(body).encode()
    connection.sendall(OK + b"%d\r\n\r\n" % len(raw) + raw)


def seconds_of(call, *args):
    began = time.monotonic()
    with pytest.raises(CloudApiError) as caught:
        call(*args)
    return time.monotonic() - began, caught.value


TRICKLES = {
    "headers": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000,
    "body": OK + b"1000\r\n\r\n" + b" " * 1000,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"1\r\n \r\n" * 99,
}


@pytest.mark.parametrize("part", TRICKLES)
def test_an_answer_that_trickles_ends_in_time(part):
    def trickle(connection):
        head = head_of(connection)
        connection.recv(length_of(head))
        for number in TRICKLES[part]:
            connection.sendall(bytes([number]))
            time.sleep(ANSWER / 6)

    with server(trickle) as api:
        seconds, error = seconds_of(api.send, "1", {"type": "text"})
    assert ANSWER * 0.9 < seconds < ANSWER * 3
    assert error.kind == "uncertain", "Meta may have it"


def test_a_session_is_good_for_further_calls():
    """The time that was left for one answer does not limit the next call."""

    def slowly(connection):
        for _call in range(3):
            connection.recv(length_of(head_of(connection)))
            time.sleep(ANSWER * 0.8)
            answer(connection, {"messages": [{"id": "wamid.1"}]})

    with server(slowly) as api:
        for _call in range(3):
            assert api.send("1", {"type": "text"}).message_id == "wamid.1"


def read_slowly(connection, seconds):
    """Take a body over some seconds."""
    left = length = length_of(head_of(connection))
    began = time.monotonic()
    while left > 0:
        left -= len(connection.recv(min(left, BUFFER)))
        due = began + seconds * (1 - left / length)
        time.sleep(max(0, due - time.monotonic()))
    answer(connection, {"id": "777"})


def test_an_upload_may_last_longer_than_any_time_out(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"x" * 4000 * KB)
    seconds = 4 * (CONNECT + ANSWER)
    with (
        server(lambda connection: read_slowly(connection, seconds)) as api,
        path.open("rb") as file,
    ):
        began = time.monotonic()
        assert api.upload("1", "film.mp4", file, "video/mp4") == "777"
    assert time.monotonic() - began > seconds * 0.8


def test_an_upload_that_stands_still_ends():
    def stop(connection):
        head_of(connection)
        connection.recv(1000)
        time.sleep(20 * ANSWER)

    with server(stop) as api:
        content = b"x" * 4000 * KB
        seconds, error = seconds_of(api.upload, "1", "a.mp4", content, "video/mp4")
    assert seconds < 3 * ANSWER
    assert error.kind == "transient", "nobody has it"


def test_an_upload_that_hardly_moves_ends(monkeypatch):
    monkeypatch.setattr(transport, "PATIENCE", 0.5)

    def hardly(connection):
        head_of(connection)
        while connection.recv(200):
            time.sleep(0.1)

    with server(hardly) as api:
        content = b"x" * 4000 * KB
        seconds, error = seconds_of(api.upload, "1", "a.mp4", content, "video/mp4")
    assert seconds < 10
    assert (error.kind, error.reason) == ("transient", "busy")


def test_an_upload_needs_no_memory(tmp_path):
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * KB)

    def take(connection):
        left = length_of(head_of(connection))
        buffer = bytearray(256 * KB)
        while left > 0:
            left -= connection.recv_into(buffer)
        answer(connection, {"id": "777"})

    with server(take) as api, path.open("rb") as file:
        tracemalloc.start()
        try:
            api.upload("1", "film.mp4", file, "video/mp4")
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 2 * 1024 * KB
