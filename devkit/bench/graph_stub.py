# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta's send endpoint for benchmarks: takes everything, after a fixed time.

A process of its own, so that it takes no turn from who is measured. The simulator
checks what it is sent and reports statuses, which would be measured as well.
"""

import asyncio
import itertools
import multiprocessing
import socket
import time
from collections import Counter

from aiohttp import web


def _serve(listening: socket.socket, seconds: float, times) -> None:
    numbers = itertools.count(1)

    async def take(request: web.Request) -> web.Response:
        await request.read()
        times.put(time.time())
        await asyncio.sleep(seconds)
        return web.json_response({"messages": [{"id": f"wamid.bench{next(numbers)}"}]})

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    web.run_app(app, sock=listening, access_log=None, print=None, shutdown_timeout=0)


class GraphStub:
    """Answers on loopback until it is closed; tells when each message came."""

    def __init__(self, seconds: float):
        fork = multiprocessing.get_context("fork")
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._times = fork.Queue()
        arguments = (listening, seconds, self._times)
        self._process = fork.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        listening.close()

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
