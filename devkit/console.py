# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What people see: steps, progress bars, and one clear line for each failure."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

console = Console(highlight=False)


class Failure(Exception):
    """Something a person must know; shown as one line, without a traceback."""


def say(text: str) -> None:
    """One line of news."""
    console.print(text)


def note(text: str) -> None:
    """One line that is good to know, but stops nothing."""
    console.print(f"[yellow]note[/]  {text}")


@contextlib.contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Show a long step while it runs, and how long it took when it is done.

    Yields a function that changes the detail shown behind the title.
    """
    started = time.monotonic()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("[dim]{task.fields[detail]}"),
        TimeElapsedColumn(),
    )
    if not console.is_terminal:
        console.print(f"  ... {title}")
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(title, total=None, detail="")
        yield lambda detail: progress.update(task, detail=detail[:60])
    console.print(f"[green]done[/]  {title} [dim]({time.monotonic() - started:.1f} s)")


@contextlib.contextmanager
def byte_bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show bytes arriving. Yields a function that takes the bytes had so far."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    started = time.monotonic()
    if not console.is_terminal:
        console.print(f"  ... {title}")
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)
    console.print(f"[green]done[/]  {title} [dim]({time.monotonic() - started:.1f} s)")
