# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The command line: ./dev COMMAND. Each command parses, calls and prints."""

import functools
import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from devkit import database, environment, paths
from devkit.console import Failure, console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Series(str, Enum):
    """The Odoo series that the addon serves."""

    v18 = "18.0"
    v19 = "19.0"


SeriesOption = Annotated[
    Series | None,
    typer.Option(
        envvar="CWG_SERIES",
        help=f"Odoo series; {paths.DEFAULT_SERIES} when nothing is said.",
        show_envvar=False,
    ),
]
OdooOption = Annotated[
    Path | None,
    typer.Option(
        envvar="ODOO_PATH",
        help="Your own Odoo: a source tree, or an installed Odoo's program.",
        show_default=False,
    ),
]


def _provide(series: Series | None, odoo: Path | None) -> environment.Environment:
    """The environment that the options ask for."""
    found = environment.provide(series.value if series else paths.DEFAULT_SERIES, odoo)
    if series and found.series != series.value:
        raise Failure(f"{odoo} is Odoo {found.series}, not {series.value}")
    return found


@app.callback()
def about() -> None:
    """Develop the addon *crm_whatsapp_gateway*.

    The first run fetches what is missing (Odoo, its libraries, OCA's addons,
    PostgreSQL) into `~/.cache/crm-whatsapp-gateway`; nothing is installed into your
    system. Later runs start in seconds.
    """


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def odoo(
    context: typer.Context, series: SeriesOption = None, odoo: OdooOption = None
) -> None:
    """Run Odoo itself with any options, its configuration in place.

    A database (`-d NAME`) that is missing is first copied from the prepared one,
    which has the gateway addons installed and ours not yet.

    Examples:

        ./dev odoo -- -d work -i crm_whatsapp_gateway --stop-after-init

        ./dev odoo --series 18.0 -- shell -d work
    """
    env = _provide(series, odoo)
    arguments = [argument for argument in context.args if argument != "--"]
    name = _database_of(arguments)
    if name:
        database.ensure(env, name)
    _become(env, arguments)


def _database_of(arguments: list[str]) -> str | None:
    """The database that Odoo's own options name.

    >>> _database_of(["-d", "work", "-u", "crm"])
    'work'
    """
    for number, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option in ("-d", "--database"):
            return value if equals else (arguments[number + 1 : number + 2] or [None])[0]
    return None


def _become(env: environment.Environment, arguments: list[str]) -> None:
    """Go on as Odoo, in this process."""
    command = env.command(*arguments)
    sys.stdout.flush()
    os.execve(command[0], command, env.env())


class Step(str, Enum):
    """The steps of the tests."""

    lint = "lint"
    unit = "unit"
    devkit = "devkit"
    simulator = "simulator"
    oca = "oca"
    addon = "addon"
    e2e = "e2e"


@app.command()
def test(
    series: SeriesOption = None,
    odoo: OdooOption = None,
    only: Annotated[
        list[Step] | None, typer.Option(help="Only this step; may be repeated.")
    ] = None,
    keyword: Annotated[
        str | None, typer.Option("-k", help="pytest's choice of tests by name.")
    ] = None,
    tags: Annotated[
        str | None, typer.Option(help="Odoo's --test-tags for the addon's tests.")
    ] = None,
) -> None:
    """Run the tests; all of them, or some.

    Examples:

        ./dev test

        ./dev test --series 18.0 --only addon

        ./dev test --only addon --tags /crm_whatsapp_gateway:TestInbound

        ./dev test --only unit -k phone
    """
    from devkit.checks import runner

    get = functools.cache(lambda: _provide(series, odoo))
    wish = runner.Wish([step.value for step in only or ()], keyword, tags)
    if not runner.run(get, wish):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; a Failure is one line and exit status 1."""
    try:
        app(prog_name="./dev")
    except Failure as failure:
        console.print(f"[red]error[/] {escape(str(failure))}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
