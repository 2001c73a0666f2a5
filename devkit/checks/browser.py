# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A browser for the tests that need one."""

import os
import shutil

from devkit import stamps
from devkit.console import Failure, step
from devkit.shell import run

PROGRAMS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
ADVICE = "browser tests need chromium: apt-get install chromium (as root)"


def provide() -> str | None:
    """Have a browser that Odoo's tests find. Returns what is wrong, if anything.

    Root gets Debian's package installed; an ordinary user is told how.
    """
    if find():
        return None
    if os.geteuid() or not shutil.which("apt-get"):
        return ADVICE
    try:
        with stamps.locked("chromium"):
            if not find():
                _install()
    except Failure as failure:
        return f"{ADVICE}; trying it failed: {failure}"
    return None if find() else ADVICE


def find() -> str | None:
    """The browser's program, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def _install() -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step("installing Debian's package chromium") as show:
        run(["apt-get", "-q", "update"], what="apt-get update", env=env)
        run(
            ["apt-get", "-qy", "--no-install-recommends", "install", "chromium"],
            what="apt-get install chromium",
            env=env,
            show=show,
        )
