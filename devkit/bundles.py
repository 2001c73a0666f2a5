# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The web client's bundles, kept from one test database for the next.

Building them takes Odoo longer than all other work of a test run. A bundle's address
holds a hash of what it was made from, so Odoo uses a kept one only when it still
fits, and makes anew what does not.
"""

import shutil

from psycopg import Connection, sql

from devkit import stamps
from devkit.environment import Environment

BUNDLES = sql.SQL("url LIKE '/web/assets/%' AND res_model = 'ir.ui.view'")


def keep(environment: Environment, database: str) -> None:
    """Keep the bundles of this database."""
    folder = environment.folder / "bundles"
    with stamps.locked("bundles"), environment.cluster.connect(database) as connection:
        stamps.remove(folder)
        folder.mkdir()
        columns = _columns(connection)
        query = sql.SQL("COPY (SELECT {} FROM ir_attachment WHERE {}) TO STDOUT")
        with (
            open(folder / "rows", "wb") as out,
            connection.cursor().copy(query.format(columns, BUNDLES)) as rows,
        ):
            for piece in rows:
                out.write(piece)
        for (name,) in _files(connection):
            target = folder / "files" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(environment.filestore(database) / name, target)
        stamps.mark_complete(folder, columns.as_string())


def restore(environment: Environment, database: str) -> None:
    """Give a fresh database the kept bundles instead of those that it has."""
    folder = environment.folder / "bundles"
    with stamps.locked("bundles"), environment.cluster.connect(database) as connection:
        columns = _columns(connection)
        if not stamps.is_complete(folder, columns.as_string()):
            return
        shutil.copytree(
            folder / "files", environment.filestore(database), dirs_exist_ok=True
        )
        with connection.transaction():
            remove = sql.SQL("DELETE FROM ir_attachment WHERE {}")
            connection.execute(remove.format(BUNDLES))
            query = sql.SQL("COPY ir_attachment ({}) FROM STDIN").format(columns)
            with connection.cursor().copy(query) as rows:
                rows.write((folder / "rows").read_bytes())


def _columns(connection: Connection) -> sql.Composed:
    """All columns but the number, which the database gives anew."""
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_name = 'ir_attachment' AND column_name <> 'id' ORDER BY 1"
    )
    return sql.SQL(", ").join(sql.Identifier(name) for (name,) in rows)


def _files(connection: Connection):
    query = sql.SQL(
        "SELECT DISTINCT store_fname FROM ir_attachment "
        "WHERE {} AND store_fname IS NOT NULL"
    )
    return connection.execute(query.format(BUNDLES)).fetchall()
