# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Databases: a prepared template for each series, and quick copies of it."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from psycopg import sql

from devkit import paths, stamps
from devkit.checks import odoo_log
from devkit.console import Failure, say, step
from devkit.environment import Environment
from devkit.shell import run

TEMPLATE = "template-"  # so begins the name of each that others are copies of
LANGUAGES = ("en_US", "es_ES", "es_MX")
NO_DEMO = {"18.0": ("--without-demo=all",), "19.0": ()}


def demo_name(series: str) -> str:
    """The demo's database, one for each series."""
    return f"demo-{series}"


def template(environment: Environment, addons: Sequence[str] = ()) -> str:
    """The prepared database's name; it is made when missing (a minute).

    Holds what these addons of ours stand on (default: those that a person installs),
    without demo data and without ours.
    """
    modules = paths.outside(addons or paths.top())
    more = bool(addons) and set(modules) > set(paths.outside(paths.top()))
    recipe = paths.digest(environment.key, *modules, *LANGUAGES, "with bundles")[:10]
    name = f"{TEMPLATE}{environment.series}-{recipe}"
    if exists(environment, name):
        return name
    with stamps.locked(name):
        if not exists(environment, name):
            draft = f"{name}-draft"
            if more:
                copy(environment, draft, template(environment))
            else:
                drop(environment, draft)
            install(
                *(environment, draft, modules),
                f"--load-language={','.join(LANGUAGES)}",
                *NO_DEMO[environment.series],
                title=f"a prepared database for {environment.series} (about a minute)",
                with_addon=False,
            )
            if not addons:
                warm(environment, draft, with_addon=False)
            rename(environment, draft, name)
    return name


def install(
    environment: Environment,
    name: str,
    modules: list[str],
    *options: str,
    title: str,
    with_addon: bool = True,
) -> None:
    """Have Odoo install modules into a database, which may be new."""
    log = environment.logs / f"{name}-install.log"
    with step(title) as show:
        run(
            environment.command(
                *("-d", name, "-i", ",".join(modules), "--stop-after-init", *options),
                *("--no-http", "--max-cron-threads=0"),
                with_addon=with_addon,
            ),
            what=f"installing {title}",
            env=environment.env(),
            log=log,
            show=lambda line: show(_short(line)),
        )
    if not installed(environment, name, modules):
        raise Failure(f"Odoo did not install its modules (see {log})")


def warm(environment: Environment, name: str, *, with_addon: bool = True) -> None:
    """Build the web client's bundles once, for all copies: half a minute."""
    with step(f"the web client's bundles for {environment.series}") as show:
        run_inside(
            *(environment, name, 'env["ir.qweb"]._pregenerate_assets_bundles()'),
            what="building the web client's bundles",
            with_addon=with_addon,
            show=lambda line: show(_short(line)),
        )


def run_inside(
    environment: Environment,
    name: str,
    script: str,
    what: str,
    *,
    with_addon: bool = True,
    show: Callable[[str], None] | None = None,
) -> str:
    """Feed a script to Odoo's shell, and commit; returns what it printed."""
    with tempfile.TemporaryFile("w+") as file:
        file.write(f"{script}\nenv.cr.commit()\n")
        file.seek(0)
        return run(
            environment.command(
                "shell", "-d", name, "--no-http", with_addon=with_addon
            ),
            what=what,
            env=environment.env(),
            log=environment.logs / f"{name}.log",
            show=show,
            stdin=file,
        )


def _short(line: str) -> str:
    """What a log line says, without its head."""
    found = odoo_log.LINE.match(line)
    return found["text"] if found else ""


def installed(environment: Environment, name: str, modules: list[str]) -> bool:
    """Whether all these modules are installed in the database."""
    with environment.cluster.connect(name) as connection:
        rows = connection.execute(
            "SELECT name FROM ir_module_module WHERE state = 'installed'"
        )
        return set(modules) <= {row[0] for row in rows}


def copy(environment: Environment, name: str, source: str | None = None) -> str:
    """Make database `name` as a copy of `source` (or of the template); half a second.

    A database of that name is replaced.
    """
    source = source or template(environment)
    drop(environment, name)
    _copy_files(environment.filestore(source), environment.filestore(name))
    _execute(environment, "CREATE DATABASE {} TEMPLATE {}", name, source)
    with environment.cluster.connect(name) as connection:
        connection.execute(
            "UPDATE ir_config_parameter SET value = gen_random_uuid()::text "
            "WHERE key = 'database.uuid'"
        )
    return name


def _copy_files(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copytree(source, target)


def ensure(environment: Environment, name: str) -> bool:
    """Have the database; a missing one is copied. Returns whether it was made."""
    if exists(environment, name):
        check_series(environment, name)
        return False
    copy(environment, name)
    say(f"database {name}: copied from the prepared one")
    return True


def check_series(environment: Environment, name: str) -> None:
    """Refuse a database that the other series made: Odoo would spoil it."""
    with environment.cluster.connect(name) as connection:
        modules = connection.execute("SELECT to_regclass('ir_module_module')")
        if modules.fetchone() == (None,):
            return
        row = connection.execute(
            "SELECT latest_version FROM ir_module_module WHERE name = 'base'"
        ).fetchone()
    version = (row and row[0]) or environment.series
    made = ".".join(version.split(".")[:2])
    if made != environment.series:
        raise Failure(f"database {name} is one of Odoo {made}: use --series {made}")


def exists(environment: Environment, name: str) -> bool:
    """Whether there is a database of this name."""
    return name in names(environment)


def names(environment: Environment) -> list[str]:
    """All databases of the project."""
    with environment.cluster.connect() as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE NOT datistemplate "
            "AND datname <> 'postgres' ORDER BY 1"
        )
        return [row[0] for row in rows]


def drop(environment: Environment, name: str) -> None:
    """Delete the database, also while somebody is connected, and its files."""
    _execute(environment, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    shutil.rmtree(environment.filestore(name), ignore_errors=True)


def rename(environment: Environment, old: str, new: str) -> None:
    """Give a database its final name: its files first, the name is the promise."""
    files = environment.filestore(new)
    shutil.rmtree(files, ignore_errors=True)
    if environment.filestore(old).exists():
        environment.filestore(old).rename(files)
    _execute(environment, "ALTER DATABASE {} RENAME TO {}", old, new)


def _execute(environment: Environment, statement: str, *identifiers: str) -> None:
    with environment.cluster.connect() as connection:
        query = sql.SQL(statement).format(*map(sql.Identifier, identifiers))
        connection.execute(query)
