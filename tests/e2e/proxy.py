# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What stands before two Odoo hosts: each connection goes to one that answers."""

import contextlib
import itertools
import socket
import threading
from socketserver import BaseRequestHandler, ThreadingTCPServer

PIECE = 64 * 1024


class Proxy(ThreadingTCPServer):
    """A proxy by turns, on loopback; a context that gives its address.

    :param hosts: list of (name, port); who does not answer is passed over
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, hosts):
        super().__init__(("127.0.0.1", 0), _Handler)
        self._hosts, self._turns = hosts, itertools.count()

    def connect(self):
        """Return a connection to the next host that answers."""
        first = next(self._turns)
        for number in range(len(self._hosts)):
            host = self._hosts[(first + number) % len(self._hosts)]
            with contextlib.suppress(OSError):
                return socket.create_connection(host, 5)
        return None

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *exc_info):
        self.shutdown()
        super().__exit__(*exc_info)


class _Handler(BaseRequestHandler):
    def handle(self):
        behind = self.server.connect()
        if not behind:
            return
        with behind:
            back = threading.Thread(target=_pump, args=(behind, self.request))
            back.start()
            _pump(self.request, behind)
            back.join()


def _pump(source, target):
    """Pass on what comes, until one side has ended."""
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
