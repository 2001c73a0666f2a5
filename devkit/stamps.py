# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps that can be killed at any point, repeated, and run twice at once.

A step owns a folder. A file in it, written last, says that the folder is complete
and for which key (the versions that it was made from). Without that file, or with
another key, the folder is made again from nothing.
"""

import contextlib
import fcntl
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from devkit import paths
from devkit.console import say

STAMP = ".complete"


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of this name; wait when another run holds it.

    The kernel gives it back when the process ends, however it ends.
    """
    folder = paths.cache() / "lock"
    folder.mkdir(exist_ok=True)
    with open(folder / name, "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  ... waiting for another run that is busy with {name}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_complete(folder: Path, key: str) -> bool:
    """Whether the folder was made to its end, for this key."""
    try:
        return (folder / STAMP).read_text() == key
    except OSError:
        return False


def mark_complete(folder: Path, key: str) -> None:
    """Write the stamp; it appears whole or not at all."""
    write(folder / STAMP, key)


def write(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all, whoever else writes it now."""
    draft = draft_of(path)
    draft.write_text(text)
    draft.replace(path)


def draft_of(path: Path) -> Path:
    """A hidden name beside `path` that nobody else writes to."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def ensure(folder: Path, key: str, make: Callable[[Path], None]) -> Path:
    """The folder, complete for the key; `make(folder)` fills it when it is not.

    `make` gets an empty folder at its final place, as Python environments cannot
    be moved.
    """
    if is_complete(folder, key):
        return folder
    with locked(folder.name):
        if not is_complete(folder, key):
            remove(folder)
            folder.mkdir(parents=True)
            make(folder)
            mark_complete(folder, key)
    return folder


def remove(folder: Path) -> None:
    """Delete a folder; its stamp goes first, so that half of it is never trusted."""
    (folder / STAMP).unlink(missing_ok=True)
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
