# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The simulator's HTTP server, on loopback only.

with running(seed=1) as url:
    Simulator(url).setup()
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

from . import control, graph
from .calls import META
from .clock import Clock
from .meta import Meta

HOST = "127.0.0.1"
LARGEST_BODY = 110 * 1024 * 1024  # a document of 100 MB and its envelope


async def overview(request: web.Request) -> web.Response:
    """A short look at the state; later a page where a person plays the customer."""
    counts = control.overview(request.app[META])["counts"]
    about = "WhatsApp Cloud API simulator; see /_control/state and /_config"
    return web.json_response({"about": about, "counts": counts})


def application(meta: Meta) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)
    app[META] = meta
    app.router.add_get("/", overview)
    control.add_routes(app.router)
    graph.add_routes(app.router)
    return app


class Server:
    """One simulator on one port; `url` is known after `start`."""

    def __init__(self, port: int = 0, seed=None, clock: Clock | None = None):
        self.port = port
        self.meta = Meta(clock, seed)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Raises OSError if the port is taken."""
        self._runner = web.AppRunner(
            application(self.meta),
            access_log=None,
            shutdown_timeout=0.2,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port, backlog=512)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.meta.base_url = self.url
        await self.meta.start()

    async def stop(self) -> None:
        await self.meta.stop()
        await self._runner.cleanup()


async def serve(port: int, seed=None, port_file: Path | None = None) -> None:
    """Run until cancelled; the port is written to `port_file` once it is open."""
    server = Server(port, seed)
    await server.start()
    if port_file:
        temporary = port_file.with_name(port_file.name + ".new")
        temporary.write_text(f"{server.port}\n")
        temporary.replace(port_file)
    print(f"simulator: {server.url}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
        if port_file:
            port_file.unlink(missing_ok=True)


@contextlib.contextmanager
def running(
    port: int = 0, seed=None, clock: Clock | None = None, start_timeout: float = 10
) -> Iterator[str]:
    """A simulator in a thread of this process; yields its base URL."""
    server, loop = Server(port, seed, clock), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(start_timeout)
        yield server.url
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(start_timeout)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(start_timeout)
        loop.close()
