# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta's side where only time matters: slow answers, slow uploads, so many a second.

The simulator checks what it is sent and answers well or not at all.
"""

import contextlib
import itertools
import json
import socket
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 64 * 1024


class SlowMeta(ThreadingHTTPServer):
    """Takes messages and files on loopback, and remembers when.

    `trickle` are people (phone numbers) whose message is answered byte by byte, for
    `trickle_seconds`; `allowed` messages a second are taken, or all; a file is read
    over `upload_seconds`. `report` is called before and after each answer with the
    message, its id, and whether it was answered.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.guard, self.ids = threading.Lock(), itertools.count(1)
        self.trickle_seconds, self.upload_seconds = 150, 0
        self.report = None
        self.forget()

    def forget(self):
        """Begin anew: nothing has come, everything is taken at once."""
        with self.guard:
            self.trickle, self.allowed = set(), None
            self.came, self.taken = [], []  # times
            self.texts = defaultdict(list)  # phone -> what they read
            self.files = []

    def take(self, message):
        """Return whether a message is taken now."""
        now = time.monotonic()
        with self.guard:
            self.came.append(now)
            if self.allowed is not None:
                if sum(moment > now - 1 for moment in self.taken) >= self.allowed:
                    return False
            self.taken.append(now)
            kind = message["type"]
            text = message[kind].get("body") or message[kind].get("caption", kind)
            self.texts[message["to"].removeprefix("+")].append(text)
            return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        # else the kernel takes megabytes of a file that nobody has read
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        super().setup()

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        if self.path.endswith("/media"):
            return self._upload(length)
        message = json.loads(self.rfile.read(length))
        if message.get("status") == "read":
            return self._answer(200, {"success": True})
        if not self.server.take(message):
            error = {"code": 130429, "message": "Rate limit hit"}
            return self._answer(429, {"error": error})
        wamid = f"wamid.slow{next(self.server.ids)}"
        if self.server.report:
            self.server.report(message, wamid, False)
        if message["to"].removeprefix("+") in self.server.trickle:
            return self._trickle()
        self._answer(200, {"messages": [{"id": wamid}]})
        if self.server.report:
            self.server.report(message, wamid, True)

    def _upload(self, length):
        content, began, seconds = [], time.monotonic(), self.server.upload_seconds
        left = length
        while left:
            content.append(self.rfile.read(min(left, PIECE)))
            left -= len(content[-1])
            due = began + seconds * (1 - left / length)
            time.sleep(max(0, due - time.monotonic()))
        with self.server.guard:
            self.server.files.append(b"".join(content))
        self._answer(200, {"id": f"media{next(self.server.ids)}"})

    def _trickle(self):
        self.close_connection = True
        end = time.monotonic() + self.server.trickle_seconds
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while time.monotonic() < end:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.5)

    def _answer(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


def busiest_second(moments):
    """The most of these moments that lie within any one second.

    >>> busiest_second([0.0, 0.5, 0.9, 1.1, 3.0])
    3
    """
    moments, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
