# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The addons as wheels, built as OCA builds its own: one source, a wheel per series.

The dependencies of a wheel name one series (`odoo==18.0.*`), and pip chooses by the
version, so one wheel cannot serve two. What differs is written into a copy.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from devkit import paths
from devkit.console import Failure
from devkit.shell import run

VERSION = re.compile(r'(?P<head>"version": ")(?P<version>\d+(?:\.\d+){2})"')
SERIES = re.compile(r'(?P<head>odoo_series_override = ")\d+\.0"')


# The last commit with one addon; databases of that time must take the update to more.
ONE_ADDON = "4d8341147832dc9536d8719ef2688f1e1cdee7a5"


def build_all(series: str, target: Path, repo: Path = paths.REPO) -> list[Path]:
    """Make the wheels of all addons of a repository for one series, in `target`."""
    return [build(series, target, repo / name) for name in paths.addons(repo)]


def build(series: str, target: Path, source: Path) -> Path:
    """Make the wheel of the addon that lies in `source`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / source.name
        copy_tracked(source, folder)
        name_series(folder, series)
        wheels = Path(scratch) / "wheels"
        run(
            [
                *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
                *("--disable-pip-version-check", "--no-build-isolation"),
                *("--wheel-dir", wheels, folder),
            ],
            what=f"building the wheel of {source.name} for {series}",
        )
        (wheel,) = wheels.glob("*.whl")
        target.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wheel, target))


def copy_tracked(source: Path, target: Path) -> None:
    """Copy what git tracks; without git, all but what Python leaves behind."""
    listed = _git(source, "ls-files", "-z")
    names = [name for name in listed.split("\0") if name and (source / name).exists()]
    if not names:
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target / name)


def _git(folder: Path, *arguments: str) -> str:
    """What git says in a folder; nothing if there is no git, or no repository."""
    try:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def name_series(folder: Path, series: str) -> None:
    """Write the series into the version, as OCA does, and into whool's settings."""
    _replace(folder / "__manifest__.py", VERSION, rf'\g<head>{series}.\g<version>"')
    _replace(folder / "pyproject.toml", SERIES, rf'\g<head>{series}"')


def _replace(file: Path, pattern: re.Pattern, new: str) -> None:
    text, times = pattern.subn(new, file.read_text())
    if times != 1:
        raise Failure(
            f"{file.name}: {pattern.pattern} is there {times} times, not once"
        )
    file.write_text(text)


def previous_tag(repo: Path = paths.REPO) -> str | None:
    """The newest tag `v...` of another version than this one; None without any."""
    here = paths.manifest_of(repo / paths.addons(repo)[-1])["version"]
    tags = ("tag", "--list", "v*", "--merged", "HEAD", "--sort=-v:refname")
    listed = _git(repo, *tags)
    return next((tag for tag in listed.split() if tag != f"v{here}"), None)


def has_commit(commit: str, repo: Path = paths.REPO) -> bool:
    """Whether the clone has this commit; one that is shallow does not."""
    return bool(_git(repo, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"))


def build_before(
    revision: str, series: str, target: Path, repo: Path = paths.REPO
) -> list[Path]:
    """Make the wheels that a tagged version, or a commit, had."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "repository.tar"
        command = ["git", "-C", repo, "archive", f"--output={archive}", revision]
        run(command, what=f"reading {revision}")
        with tarfile.open(archive) as files:
            files.extractall(scratch, filter="data")
        return build_all(series, target, Path(scratch))
