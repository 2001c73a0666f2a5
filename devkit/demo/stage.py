# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The processes of a demo: started, found again after a kill, and stopped."""

import contextlib
import fcntl
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from devkit import demo_state, paths, processes, server, stamps
from devkit.console import Failure, say, step
from devkit.environment import Environment
from devkit.postgres import Cluster
from devkit.simulator.client import Simulator

ODOO_PORT = 8069
PORTS = 30  # tried one after the other, from ODOO_PORT
PATIENCE = 20  # seconds until the simulator is there


@contextlib.contextmanager
def alone(series: str) -> Iterator[None]:
    """Be the only demo of this series; the kernel forgets one that was killed."""
    folder = paths.cache() / "lock"
    folder.mkdir(exist_ok=True)
    with open(folder / f"demo-{series}-runs", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failure(
                f"a demo of Odoo {series} runs already; ./dev stop ends it"
            ) from error
        yield


@contextlib.contextmanager
def curtain() -> Iterator[list[str]]:
    """Yields a list to which each part adds its name when it has ended.

    At the very end PostgreSQL is stopped, if a demo started it and nobody else is
    using it, and one line says what was stopped.
    """
    ended: list[str] = []
    ours = paths.cache() / "postgres-of-demo"  # outlives a kill
    if not Cluster().running():
        ours.touch()
    try:
        yield ended
    finally:
        if ours.exists() and not _others():
            if Cluster().stop():
                ended.append("PostgreSQL")
            ours.unlink(missing_ok=True)
        if ended:
            say(f"stopped {', '.join(ended)}")


def _others() -> bool:
    """Whether somebody else has a session."""
    cluster = Cluster()
    if not cluster.running():
        return False
    with cluster.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = "
            "'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return bool(row[0])


def end_leftovers(series: str) -> None:
    """End what a killed demo of this series left behind."""
    for started in list(processes.running()):
        if started.name.startswith(_name(series, "")):
            processes.stop(started, grace=5)
            say(f"stopped {started.name}, left by an earlier demo")


def _name(series: str, what: str) -> str:
    return f"demo-{series}-{what}"


@contextlib.contextmanager
def simulator(
    env: Environment, port: int | None, ended: list[str], whose: str = "demo"
) -> Iterator[Simulator]:
    """The simulator in Meta's place, as a process of its own."""
    port_file = env.folder / f"simulator-{whose}.port"
    port_file.unlink(missing_ok=True)
    log = env.logs / f"simulator-{whose}.log"
    command = [sys.executable, "-m", "devkit.simulator"]
    command += ["--port", str(port or 0), "--port-file", str(port_file)]
    with step("the simulator in Meta's place"):
        name = f"{whose}-{env.series}-simulator"
        process, started = processes.start(name, command, log, cwd=paths.REPO)
        try:
            url = _await_port(process, port_file, log)
        except BaseException:
            processes.stop(started)
            raise
    try:
        yield Simulator(url)
    finally:
        processes.stop(started)
        ended.append("the simulator")


def _await_port(process: subprocess.Popen, port_file: Path, log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            lines = log.read_text().strip().splitlines() or ["it said nothing"]
            raise Failure(f"the simulator ended at once: {lines[-1]}")
        if port_file.exists():
            return f"http://127.0.0.1:{int(port_file.read_text())}"
        time.sleep(0.05)
    raise Failure(f"the simulator did not start within {PATIENCE} s (see {log})")


@contextlib.contextmanager
def odoo(
    env: Environment, name: str, port: int | None, ended: list[str]
) -> Iterator[server.Server]:
    """Odoo on the demo's database."""
    # two demos that start at once must not choose the same port
    with stamps.locked("demo-port"), step(f"Odoo {env.series}"):
        running = server.start(
            *(env, name, "--no-database-list"),
            port=port or _usual_port(),
            recorded_as=_name(env.series, "odoo"),
        )
    try:
        yield running
    finally:
        running.stop()
        ended.append("Odoo")


def _usual_port() -> int:
    """Odoo's usual port, or the next one that is free."""
    for port in range(ODOO_PORT, ODOO_PORT + PORTS):
        if _is_free(port):
            return port
    return server.free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # a port whose last connections are only fading away is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def announced(series: str, **facts: str) -> Iterator[None]:
    """Let the other commands find this demo while it runs."""
    demo_state.write(series, **facts)
    try:
        yield
    finally:
        demo_state.clear(series)
