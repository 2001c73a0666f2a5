# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Renewing everything that is pinned: lock files, and the versions of the linters."""

import re
import shutil
import sys
from pathlib import Path

from devkit import paths
from devkit.console import note, step
from devkit.shell import run

LOCKED = ("devkit", "odoo-18.0", "odoo-19.0", "oca-18.0", "oca-19.0", "clock", "node")
HOOKS = paths.REPO / ".pre-commit-config.yaml"
PYTHON_PIN = re.compile(r'"(?P<name>[\w.-]+)==(?P<version>[^"]+)"')
NODE_PIN = re.compile(r'"(?P<name>@?[\w./-]+)@(?P<version>\d[^"]*)"')


def renew() -> list[str]:
    """Write all pins anew, as new as the .in files allow; one line for each file."""
    news = []
    for name in LOCKED:
        target = paths.LOCKS / f"{name}.txt"
        before = _text(target)
        with step(f"locking {name}"):
            run(lock_command(name, target), what=f"locking {name}")
        news.append(_news(target, before))
    before = _text(HOOKS)
    with step("the linters' versions"):
        renew_hooks()
    return [*news, _news(HOOKS, before)]


def lock_command(name: str, target: Path) -> list[str | Path]:
    """How one lock file is made: exact versions and hashes, for Python 3.11 on."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade"),
        *("--generate-hashes", "--only-binary", ":all:", "--python-version", "3.11"),
        *("--no-header", "--no-annotate", "--no-emit-index-url"),
        *(paths.LOCKS / f"{name}.in", "--output-file", target),
    ]
    return [*command, "--no-deps" if name.startswith("oca") else "--universal"]


def renew_hooks() -> None:
    """Pin the newest linters in pre-commit's configuration."""
    text = _text(HOOKS)
    names = {found["name"] for found in PYTHON_PIN.finditer(text)}
    newest = {name: _newest_python(name) for name in names}
    text = PYTHON_PIN.sub(
        lambda found: f'"{found["name"]}=={newest[found["name"]]}"', text
    )
    if shutil.which("npm"):
        names = {found["name"] for found in NODE_PIN.finditer(text)}
        newest = {name: _newest_node(name) for name in names}
        text = NODE_PIN.sub(
            lambda found: f'"{found["name"]}@{newest[found["name"]]}"', text
        )
    else:
        note("there is no npm here: prettier keeps its version")
    HOOKS.write_text(text)


def _newest_python(name: str) -> str:
    wanted = paths.cache() / "newest.in"
    wanted.write_text(f"{name}\n")
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-deps"]
    command += ["--no-header", "--no-annotate", str(wanted)]
    return run(command, what=f"looking up {name}").strip().rpartition("==")[2]


def _newest_node(name: str) -> str:
    lines = run(["npm", "view", name, "version"], what=f"looking up {name}")
    return re.findall(r"^\d+\.\d+\.\d+$", lines, re.MULTILINE)[-1]


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _news(path: Path, before: str) -> str:
    changed = "renewed" if _text(path) != before else "unchanged"
    return f"{path.relative_to(paths.REPO)}: {changed}"
