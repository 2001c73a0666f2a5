# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Another date for one Odoo and its database, while the machine keeps its own.

Odoo's process gets the library time-machine. In the database, functions of the same
names stand before PostgreSQL's own ones.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql

from devkit import paths, stamps, venv
from devkit.console import step
from devkit.environment import Environment

LOCK = paths.LOCKS / "clock.txt"
STARTER = Path(__file__).with_name("moved")  # what Python reads as it starts
FORMAT = "%Y-%m-%d %H:%M"
CLOCKS = ("now", "transaction_timestamp", "statement_timestamp", "clock_timestamp")


def offset(moment: datetime) -> int:
    """How many seconds from now a moment (UTC, naive) is."""
    return round((moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())


def move_database(environment: Environment, name: str, seconds: int) -> None:
    """Let a database tell the time so many seconds later (or earlier)."""
    with environment.cluster.connect(name) as connection:
        for clock in CLOCKS:
            connection.execute(
                sql.SQL(
                    "CREATE FUNCTION public.{clock}() RETURNS timestamptz LANGUAGE sql"
                    " {kind} AS 'SELECT pg_catalog.{clock}()"
                    " + make_interval(secs => {seconds})'"
                ).format(
                    clock=sql.Identifier(clock),
                    kind=sql.SQL("VOLATILE" if clock == CLOCKS[-1] else "STABLE"),
                    seconds=sql.Literal(seconds),
                )
            )
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET search_path TO public, pg_catalog").format(
                sql.Identifier(name)
            )
        )


def env(seconds: int, base: dict[str, str]) -> dict[str, str]:
    """The variables of a process that lives so many seconds later."""
    folders = [str(STARTER), str(_library()), base.get("PYTHONPATH", "")]
    return {
        **base,
        "PYTHONPATH": ":".join(filter(None, folders)),
        "CWG_CLOCK_SECONDS": str(seconds),
    }


def _library() -> Path:
    """The folder of the library alone, for a Python of any environment."""
    key = paths.digest(LOCK.read_bytes(), sys.version)
    return stamps.ensure(paths.cache() / f"clock-{key[:10]}", key, _install)


def _install(folder: Path) -> None:
    with step("a library that moves the clock"):
        wanted = ("--target", folder, *venv.locked(LOCK))
        venv.install(*wanted, what="installing time-machine")
