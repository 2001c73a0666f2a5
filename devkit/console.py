# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What people see: steps, progress bars, and one clear line for each failure."""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
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
def _progress(title: str, *columns: ProgressColumn, **task) -> Iterator[Callable]:
    """Show work while it lasts, and how long it took. Yields what changes the task."""
    started = time.monotonic()
    if not console.is_terminal:
        console.print(f"  ... {title}")
    with Progress(
        *(SpinnerColumn(), TextColumn("{task.description}"), *columns),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield functools.partial(progress.update, progress.add_task(title, **task))
    console.print(f"[green]done[/]  {title} [dim]({time.monotonic() - started:.1f} s)")


@contextlib.contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """A long step. Yields a function that changes the detail shown behind the title."""
    columns = (TextColumn("[dim]{task.fields[detail]}"), TimeElapsedColumn())
    with _progress(title, *columns, total=None, detail="") as update:
        yield lambda detail: update(detail=detail[:60])


@contextlib.contextmanager
def byte_bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Bytes that arrive. Yields a function that takes the bytes had so far."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with _progress(title, *columns, total=total) as update:
        yield lambda done: update(completed=done)
