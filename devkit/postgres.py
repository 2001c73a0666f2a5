# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A private PostgreSQL: own folder, own user, a Unix socket and no port."""

import contextlib
import os
import pwd
import shutil
import signal
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import psycopg

from devkit import debian, paths, stamps
from devkit.console import Failure, step
from devkit.shell import run

USER = "odoo"
SYSTEM = Path("/usr/lib/postgresql")
SOCKET_LIMIT = 80  # characters; the kernel allows 107 with the socket's own name
# Throw-away data: speed is worth more than surviving a power cut.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "jit": "off",
}


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs, and the libraries that they need beside the system's."""

    folder: Path
    libraries: tuple[Path, ...] = ()

    @property
    def env(self) -> dict[str, str]:
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        if self.libraries:
            env["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))
        return env


class Cluster:
    """The project's cluster, stopped or running."""

    def __init__(self):
        self.folder = _open_root() / "postgres"
        self.data = self.folder / "data"
        self.owner = owner()
        self.socket = _socket_folder(self.folder)

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def start(self) -> None:
        """Have it running: get the programs, make the cluster, start the server."""
        if self._is_ours() and self.running():
            return
        with stamps.locked("postgres"):
            if self._is_ours() and self.running():
                return
            binaries = find_binaries()
            if not self._is_ours():
                self._make(binaries)
            self._launch(binaries)

    def _is_ours(self) -> bool:
        """Whether the cluster is complete and belongs to this cache folder's life.

        Root's cluster lies outside of the cache, and would outlive its deletion.
        """
        try:
            return stamps.is_complete(self.folder, _key_file().read_text())
        except FileNotFoundError:
            return False

    def running(self) -> bool:
        """Whether a server answers on the socket."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection that commits each statement."""
        return psycopg.connect(
            host=str(self.socket), user=USER, dbname=database, autocommit=True
        )

    def stop(self) -> bool:
        """Stop the server. Returns whether there was one."""
        pid = self._server_pid()
        if not pid:
            return False
        os.kill(pid, signal.SIGINT)  # "fast": end the sessions, then itself
        if not _wait(lambda: not _is_postgres(pid), seconds=30):
            os.kill(pid, signal.SIGQUIT)
            _wait(lambda: not _is_postgres(pid), seconds=10)
        return True

    def remove(self) -> None:
        """Stop the server and delete the cluster with all its databases."""
        self.stop()
        stamps.remove(self.folder)
        shutil.rmtree(self.socket, ignore_errors=True)
        if self.folder.parent != paths.cache():
            shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _make(self, binaries: Binaries) -> None:
        with step("a private PostgreSQL"):
            self.stop()
            stamps.remove(self.folder)
            self.folder.mkdir(parents=True)
            self._give(self.folder)
            self._as_owner(
                [
                    *(binaries.folder / "initdb", "-D", self.data, "-U", USER),
                    *("-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
                ],
                binaries,
                what="making PostgreSQL's data folder",
            )
            key = uuid.uuid4().hex
            stamps.mark_complete(self.folder, key)
            _key_file().write_text(key)

    def _launch(self, binaries: Binaries) -> None:
        self._forget_dead_server()
        self.socket.mkdir(parents=True, exist_ok=True)
        if self.socket.is_symlink() or self.socket.owner() not in _trusted():
            raise Failure(f"{self.socket} belongs to somebody else")
        self._give(self.socket)
        options = " ".join(f"-c {key}={value}" for key, value in SETTINGS.items())
        log = self.folder / "log"
        command = [
            *(binaries.folder / "pg_ctl", "-D", self.data, "-l", log),
            *("-w", "-t", "60", "-o", f"-k {self.socket} {options}", "start"),
        ]
        deadline = time.monotonic() + 20
        while True:
            try:
                self._as_owner(command, binaries, what="starting PostgreSQL")
                return
            except Failure as failure:
                # Sessions of a killed server take a moment to notice.
                if time.monotonic() > deadline:
                    raise Failure(f"{failure} (see {log})") from failure
                time.sleep(1)

    def _forget_dead_server(self) -> None:
        """Remove the lock files of a killed server whose number is still taken.

        By another process, or by itself where nobody collects dead processes.
        """
        if not self._server_pid():
            for left in (self.pid_file, *self.socket.glob(".s.PGSQL.*")):
                left.unlink(missing_ok=True)

    def _server_pid(self) -> int | None:
        """The running server's process, by the file that it keeps."""
        try:
            pid = int(self.pid_file.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if _is_postgres(pid, self.data) else None

    def _as_owner(self, command, binaries: Binaries, what: str) -> None:
        as_user = None if os.geteuid() else self.owner
        run(command, what=what, env=binaries.env, cwd=self.folder, as_user=as_user)

    def _give(self, folder: Path) -> None:
        """Let the cluster's user, and nobody else, use this folder."""
        folder.chmod(0o700)
        if not os.geteuid():
            shutil.chown(folder, self.owner)


def _key_file() -> Path:
    return paths.cache() / "cluster-key"


def _open_root() -> Path:
    """The folder of the cluster, made when missing; its own user can pass it."""
    root = paths.public_root()
    root.mkdir(parents=True, exist_ok=True)
    if not os.geteuid():
        root.chmod(0o755)
    return root


def owner() -> str:
    """The user that runs the server: oneself, but for root somebody else."""
    if os.geteuid():
        return pwd.getpwuid(os.geteuid()).pw_name
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


def _trusted() -> set[str]:
    return {pwd.getpwuid(os.geteuid()).pw_name, owner()}


def find_binaries() -> Binaries:
    """The newest PostgreSQL of the system, else one unpacked from packages.

    CWG_POSTGRES=packages makes it unpack one in any case.
    """
    if os.environ.get("CWG_POSTGRES") != "packages":
        found = newest_installed(SYSTEM)
        if found:
            return Binaries(found)
    root = _open_root() / "postgres-programs"
    stamps.ensure(root, "1", _unpack_packages)
    found = newest_installed(root / "usr/lib/postgresql")
    if not found:
        raise Failure("Debian's PostgreSQL package has no server in it")
    return Binaries(found, tuple(_library_folders(root)))


def newest_installed(folder: Path) -> Path | None:
    """The folder of programs with the highest version, if any.

    >>> newest_installed(Path("/nonexistent")) is None
    True
    """
    found = [
        program.parent
        for program in folder.glob("*/bin/initdb")
        if (program.parent / "postgres").exists()
    ]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _unpack_packages(root: Path) -> None:
    """Unpack the system release's PostgreSQL with the libraries that are missing."""
    apt = debian.Apt("system")
    version = apt.version("postgresql")
    if not version:
        raise Failure("there is no PostgreSQL here, and no package of it either")
    server = f"postgresql-{version.partition('+')[0]}"
    # LLVM is for compiling queries, which is switched off.
    libraries = [
        name for name in apt.missing_libraries(server) if not name.startswith("libllvm")
    ]
    wanted = [server, f"postgresql-client-{server.rpartition('-')[2]}", "libpq5"]
    wanted += [name for name in libraries if name not in wanted]
    downloads = root / "packages"
    title = f"Debian's PostgreSQL ({len(wanted)} packages)"
    packages = apt.download(wanted, downloads, title)
    packages.sort(key=lambda package: not package.name.startswith(f"{server}_"))
    debian.unpack(packages, root)
    shutil.rmtree(downloads)
    root.chmod(0o755)


def _library_folders(root: Path):
    for pattern in ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"):
        yield from sorted(root.glob(pattern))


def _socket_folder(folder: Path) -> Path:
    """Where the socket is. Its whole path must be short, whatever the cache's is."""
    inside = folder / "socket"
    if len(str(inside)) <= SOCKET_LIMIT:
        return inside
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")
    return runtime / f"cwg-{os.geteuid()}-{paths.digest(str(folder))[:10]}"


def _is_postgres(pid: int, data: Path | None = None) -> bool:
    """Whether this process is a PostgreSQL server (of this data folder)."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    if state == "Z" or not arguments[0].endswith(b"postgres"):
        return False
    return data is None or str(data).encode() in arguments


def _wait(condition, seconds: float) -> bool:
    """Wait until the condition holds. Returns whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
