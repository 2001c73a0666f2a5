# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta's send endpoint for benchmarks: takes everything, after a fixed time.

A process of its own, so that it takes no turn from who is measured. The simulator
checks what it is sent and reports statuses, which would be measured as well.
"""

import json
import multiprocessing
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        began = time.time()
        time.sleep(self.server.seconds)
        with self.server.counted:
            self.server.number.value += 1
            number = self.server.number.value
        self.server.queue.put(began)
        body = json.dumps({"messages": [{"id": f"wamid.bench{number}"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def _serve(port, seconds, number, queue):
    server = _Server(("127.0.0.1", 0), _Handler)
    server.seconds, server.number, server.queue = seconds, number, queue
    server.counted = number.get_lock()
    port.put(server.server_port)
    server.serve_forever()


class GraphStub:
    """Answers on loopback until it is closed; tells when each message came."""

    def __init__(self, seconds: float):
        fork = multiprocessing.get_context("fork")
        port, self._times = fork.Queue(), fork.Queue()
        self._process = fork.Process(
            target=_serve,
            args=(port, seconds, fork.Value("i", 0), self._times),
            daemon=True,
        )
        self._process.start()
        self.url = f"http://127.0.0.1:{port.get(timeout=20)}"

    def __enter__(self) -> "GraphStub":
        return self

    def __exit__(self, *exc) -> None:
        self._process.terminate()
        self._process.join()

    def busiest_second(self) -> int:
        """The most messages that came within one second of the clock."""
        seconds = Counter()
        while not self._times.empty():
            seconds[int(self._times.get())] += 1
        return max(seconds.values(), default=0)
