# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo as a running server."""

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from devkit import processes
from devkit.console import Failure
from devkit.environment import Environment

PATIENCE = 180  # seconds until the first answer


@dataclass
class Server:
    """An Odoo that answers on the loopback interface."""

    environment: Environment
    database: str
    port: int
    log: Path
    process: subprocess.Popen
    started: processes.Started

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it, as exactly this process."""
        processes.stop(self.started)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *exc_info) -> None:
        self.stop()


def start(
    environment: Environment,
    database: str,
    *options: str,
    port: int | None = None,
    recorded_as: str = "odoo",
) -> Server:
    """Start Odoo on one database and wait for its first answer.

    Without workers, so that the live chat works on the same port. Without `port`
    a free one is taken. `recorded_as` is the name of the process for ./dev stop.
    Raises Failure when it ends or stays silent.
    """
    port = port or free_port()
    log = environment.logs / f"server-{database}.log"
    command = environment.command(
        *("-d", database, f"--db-filter=^{database}$", f"--http-port={port}"),
        *("--workers=0", f"--logfile={log}", *options),
    )
    log.unlink(missing_ok=True)
    out = log.with_suffix(".out")
    process, started = processes.start(recorded_as, command, out, env=environment.env())
    server = Server(environment, database, port, log, process, started)
    try:
        await_answer(server)
    except BaseException:
        server.stop()
        raise
    return server


def await_answer(server: Server) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not server.alive():
            raise Failure(
                f"Odoo ended at once: {_last_line(server)} (see {server.log})"
            )
        try:
            answer = requests.get(f"{server.url}/web/login", timeout=60)
            if answer.status_code == 200:
                # Odoo lists the addons' files now: many requests at once that make
                # it do so can break each other on Python 3.11
                requests.get(f"{server.url}/web/static/img/favicon.ico", timeout=60)
                return
            if answer.status_code >= 500:
                raise Failure(
                    f"Odoo answers {answer.status_code} at {server.url}/web/login "
                    f"(see {server.log})"
                )
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise Failure(f"Odoo did not answer within {PATIENCE} s (see {server.log})")


def _last_line(server: Server) -> str:
    for path in (server.log.with_suffix(".out"), server.log):
        lines = path.read_text().strip().splitlines() if path.exists() else []
        if lines:
            return lines[-1]
    return "it said nothing"


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
