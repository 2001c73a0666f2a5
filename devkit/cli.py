# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The command line: ./dev COMMAND. Each command parses, calls and prints."""

import functools
import os
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from devkit import clock, database, environment, options, paths, sources
from devkit.console import Failure, console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Series(StrEnum):
    """The Odoo series that the addons serve."""

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


def _series(series: Series | None, odoo: Path | None) -> str:
    """The series that the options ask for; a given Odoo has its own."""
    if odoo:
        return sources.recognise(odoo).series
    return series.value if series else paths.DEFAULT_SERIES


@app.callback()
def about() -> None:
    """Develop the addons for WhatsApp.

    The first run fetches what is missing (Odoo, its libraries, OCA's addons,
    PostgreSQL) into `~/.cache/crm-whatsapp-gateway`; nothing is installed into your
    system. Later runs start in seconds.
    """


def _database_of(arguments: list[str]) -> str | None:
    """The database that Odoo's own options name.

    >>> _database_of(["-d", "work", "-u", "crm"])
    'work'
    """
    for number, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option in ("-d", "--database"):
            return (
                value if equals else (arguments[number + 1 : number + 2] or [None])[0]
            )
    return None


def _become(env: environment.Environment, arguments: list[str]) -> None:
    """Go on as Odoo, in this process."""
    command = env.command(*arguments)
    sys.stdout.flush()
    os.execve(command[0], command, env.env())


@app.command()
def demo(
    series: SeriesOption = None,
    odoo: OdooOption = None,
    once: Annotated[
        bool, typer.Option("--once", help="End after the story, with its verdict.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(help="Odoo's port; else 8069 or the next free one.")
    ] = None,
    simulator_port: Annotated[
        int | None, typer.Option(help="The simulator's port; else a free one.")
    ] = None,
) -> None:
    """Watch WhatsApp messages become assigned leads in a real Odoo.

    Plays a story of a dozen messages and stays up until Ctrl-C. With `--once` it
    ends after the story; the exit status then says whether every expectation held.

    Examples:

        ./dev demo

        ./dev demo --once --series 18.0
    """
    from devkit.demo import run

    wished = options.DemoOptions(
        _series(series, odoo), odoo, once, port, simulator_port
    )
    raise typer.Exit(run(wished))


class Step(StrEnum):
    """The steps of the tests."""

    lint = "lint"
    unit = "unit"
    devkit = "devkit"
    simulator = "simulator"
    oca = "oca"
    addon = "addon"
    each = "each"
    browser = "browser"
    package = "package"
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
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=[clock.FORMAT],
            help="Run the addon's tests as if they began then (UTC).",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="A file for the results.", hidden=True)
    ] = None,
) -> None:
    """Run the tests; all of them, or some.

    Examples:

        ./dev test

        ./dev test --series 18.0 --only addon

        ./dev test --only addon --tags /crm_whatsapp_gateway:TestInbound

        ./dev test --only unit -k phone

        ./dev test --only addon --at "2028-02-29 23:50"
    """
    from devkit.checks import runner

    get = functools.cache(lambda: _provide(series, odoo))
    chosen = {"--series": series and series.value, "--odoo": odoo}
    wish = runner.Wish(
        [step.value for step in only or ()],
        keyword,
        tags,
        [f"{name}={value}" for name, value in chosen.items() if value],
        report,
        at,
    )
    if not runner.run(get, wish):
        raise typer.Exit(1)


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


@app.command()
def shell(
    series: SeriesOption = None,
    odoo: OdooOption = None,
    name: Annotated[
        str | None,
        typer.Option("--database", "-d", help="The demo's when not given."),
    ] = None,
) -> None:
    """Talk to Odoo's objects in Python, on the demo's database.

    Example:

        ./dev shell
    """
    env = _provide(series, odoo)
    name = name or database.demo_name(env.series)
    database.ensure(env, name)
    _become(env, ["shell", "-d", name])


@app.command()
def simulate(
    text: Annotated[str | None, typer.Argument(help="What the customer says.")] = None,
    phone: Annotated[
        str, typer.Option("--from", help="The customer's number, in any spelling.")
    ] = "+34 600 111 222",
    name: Annotated[
        str | None, typer.Option(help="The customer's name in WhatsApp.")
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            help="text, image, video, audio, document, sticker, location, contacts, "
            "button_reply, list_reply, reaction, order ...",
        ),
    ] = "text",
    file: Annotated[
        Path | None, typer.Option(help="The file to send; else a sample is sent.")
    ] = None,
    word: Annotated[
        list[str] | None,
        typer.Option("--with", help="More content, as name=value; may be repeated."),
    ] = None,
    simulator: Annotated[
        str | None,
        typer.Option(help="The simulator's address; the running demo's if not given."),
    ] = None,
    series: Annotated[
        Series | None,
        typer.Option(help="Of several running demos, that of this series."),
    ] = None,
) -> None:
    """Play a customer: send one WhatsApp message into the running demo.

    Examples:

        ./dev simulate "Hola, ¿tienen cita mañana?" --from "+34 600 111 222" --name Ana

        ./dev simulate --type image --from "+52 55 1234 5678" "Mi cocina"

        ./dev simulate --type button_reply --with "title=Me interesa"
    """
    from devkit import simulate as by_hand

    by_hand.send(
        kind,
        text=text or ("Hola" if kind == "text" and not word else None),
        phone=phone,
        name=name,
        file=file,
        words=word or [],
        address=simulator,
        series=series.value if series else None,
    )


@app.command()
def stop() -> None:
    """Stop what runs: Odoo, the simulator, PostgreSQL; exactly what was started."""
    from devkit import cleaning

    cleaning.stop()


@app.command()
def reset(
    everything: Annotated[
        bool, typer.Option("--all", help="Delete the downloads, too.")
    ] = False,
) -> None:
    """Start afresh: stop what runs and delete the databases.

    Downloads and the prepared databases stay, so that the next start is quick;
    `--all` deletes them as well.
    """
    from devkit import cleaning

    cleaning.stop()
    cleaning.reset_all() if everything else cleaning.reset()


@app.command()
def lint(
    fix: Annotated[
        bool, typer.Option("--fix", help="Repair what can be repaired.")
    ] = False,
) -> None:
    """Check style and formatting of all files that git tracks."""
    from devkit.checks import lint as checks

    if fix:
        raise typer.Exit(checks.fix())
    result = checks.check()
    result.settle()
    console.print(f"{result.passed} passed, {result.failed} failed")
    raise typer.Exit(result.failed)


@app.command()
def package(
    series: Annotated[
        Series | None, typer.Option(help="Only the wheel of this series.")
    ] = None,
    target: Annotated[
        Path, typer.Option("--to", help="The folder that gets the wheels.")
    ] = Path("dist"),
) -> None:
    """Make the wheels that customers install: of each addon, one for each series.

    Example:

        ./dev package --series 18.0
    """
    from devkit import package as wheels

    for each in [series.value] if series else paths.SERIES:
        for wheel in wheels.build_all(each, target):
            console.print(str(wheel), soft_wrap=True)


@app.command()
def screenshots(series: SeriesOption = None, odoo: OdooOption = None) -> None:
    """Take the pictures of the guides and of the app list anew.

    Plays the demo's story in a database of its own, and needs a browser.

    Example:

        ./dev screenshots --series 18.0
    """
    from devkit import screenshots as pictures

    pictures.report(pictures.run(_series(series, odoo), odoo))


@app.command()
def lock() -> None:
    """Renew all lock files: the newest versions that the .in files allow."""
    from devkit import locking

    for line in locking.renew():
        console.print(line)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def bench(
    context: typer.Context, series: SeriesOption = None, odoo: OdooOption = None
) -> None:
    """Measure beside OCA alone: 'inbound' (answers to Meta), 'work [SIZES]' (what a
    message costs), 'outbound' (answers to customers).
    """
    from devkit.bench import run

    arguments = tuple(argument for argument in context.args if argument != "--")
    wished = options.BenchOptions(_series(series, odoo), odoo, arguments)
    run(wished)


def main() -> None:
    """Run the command line; a Failure is one line and exit status 1."""
    try:
        app(prog_name="./dev")
    except Failure as failure:
        console.print(f"[red]error[/] {escape(str(failure))}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
