# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Stopping what runs and deleting what was made."""

import shutil
from pathlib import Path

from psycopg import sql

from devkit import database, demo_state, paths, processes, stamps
from devkit.console import say
from devkit.postgres import Cluster


def stop() -> None:
    """End every process that the command line started, the database last."""
    for started in list(processes.running()):
        processes.stop(started)
        say(f"stopped {started.name} (process {started.pid})")
    demo_state.clear()
    if Cluster().stop():
        say("stopped PostgreSQL")


def reset() -> None:
    """Delete the databases and their files; the prepared ones stay."""
    cluster = Cluster()
    if cluster.folder.exists():
        cluster.start()
        with cluster.connect() as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            for (name,) in rows:
                if name in ("postgres", "template0", "template1"):
                    continue
                if not name.startswith(database.TEMPLATE):
                    connection.execute(
                        sql.SQL("DROP DATABASE {} WITH (FORCE)").format(
                            sql.Identifier(name)
                        )
                    )
                    say(f"deleted database {name}")
    for folder in paths.cache().glob("run-*/data"):
        _delete_files(folder)
    stop()


def _delete_files(data: Path) -> None:
    """Delete sessions and attachments of databases that are gone."""
    shutil.rmtree(data / "sessions", ignore_errors=True)
    for filestore in data.glob("filestore/*"):
        if not filestore.name.startswith(database.TEMPLATE):
            shutil.rmtree(filestore, ignore_errors=True)


def reset_all() -> None:
    """Delete all that was downloaded or made, but no Odoo that a person put there."""
    stop()
    Cluster().remove()
    cache = paths.cache()
    for child in sorted(cache.iterdir()):
        if child.name.startswith("odoo-") and not (child / stamps.STAMP).exists():
            say(f"kept {child}: you put it there")
        elif child.name.startswith("devkit-"):
            continue  # the environment that this very program runs in
        elif child.is_dir() and not child.is_symlink():
            shutil.rmtree(child, ignore_errors=True)
        else:
            child.unlink(missing_ok=True)
    say(f"emptied {cache}")
