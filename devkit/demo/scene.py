# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The demo's database: prepared once, then copied in a second for each run."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from devkit import database, paths, stamps
from devkit.console import Failure, step
from devkit.demo import people
from devkit.environment import Environment
from devkit.shell import run

INSIDE = Path(__file__).with_name("inside.py")
NOT_INSTALLED = (
    "tests",
    "docs",
    "readme",
    "__pycache__",
)  # change nothing in a database


def make(env: Environment, *, for_browser: bool, name: str | None = None) -> str:
    """A fresh database of the demo, with our addons and the scene. Returns its name.

    `for_browser`: with the web client's bundles, so that the first page is quick.
    """
    source = _template(env)
    if for_browser:
        _warm(env, source)
    name = name or database.demo_name(env.series)
    with step(f"a fresh database, {name}"):
        database.copy(env, name, source)
    return name


def wanted() -> dict:
    """What the script inside Odoo is to make, as JSON takes it."""
    colleagues = [
        {**asdict(who), "password": who.password} for who in people.COLLEAGUES
    ]
    return {
        "company": people.COMPANY,
        "country": people.COUNTRY,
        "currency": people.CURRENCY,
        "language": people.LANGUAGE,
        "timezone": people.TIMEZONE,
        "team": people.TEAM,
        "admin": people.ADMIN,
        "people": colleagues,
    }


def _template(env: Environment) -> str:
    """The prepared database of the demo; made when the addon or the scene changed."""
    base = database.template(env)
    family = f"template-demo-{env.series}-"
    name = (
        family + paths.digest(base, INSIDE.read_text(), _call(), *_addon_files())[:10]
    )
    with stamps.locked(family.rstrip("-")):
        if not database.exists(env, name):
            for old in database.names(env):
                if old.startswith(family):
                    database.drop(env, old)
            draft = f"{family}draft"
            database.copy(env, draft, base)
            _install(env, draft)
            _prepare(env, draft)
            _warm_stamp(env, name).unlink(missing_ok=True)
            database.rename(env, draft, name)
    return name


def _warm(env: Environment, name: str) -> None:
    """Build the web client's bundles in the prepared database, once."""
    stamp = _warm_stamp(env, name)
    with stamps.locked(f"{name}-bundles"):
        if not stamp.exists():
            with step("the web client's bundles, with ours"):
                _run_inside(env, name, "warm(env)", what="building the bundles")
            stamp.touch()


def _warm_stamp(env: Environment, name: str) -> Path:
    return env.folder / f"{name}.warm"


def _addon_files() -> list[bytes]:
    """Names and contents of all that the addons put into a database."""
    parts = []
    roots = [paths.REPO / name for name in paths.addons()]
    for file in sorted(file for root in roots for file in root.rglob("*")):
        path = file.relative_to(paths.REPO)
        if file.is_file() and not set(path.parts) & set(NOT_INSTALLED):
            parts += [str(path).encode(), file.read_bytes()]
    return parts


def _install(env: Environment, name: str) -> None:
    log = env.logs / "demo-install.log"
    with step(f"our addons in Odoo {env.series}"):
        run(
            env.command(
                *("-d", name, "-i", ",".join(paths.top()), "--stop-after-init"),
                *("--no-http", "--max-cron-threads=0"),
            ),
            what="installing our addons",
            env=env.env(),
            log=log,
        )
    if not database.installed(env, name, paths.addons()):
        raise Failure(f"Odoo did not install our addons (see {log})")


def _prepare(env: Environment, name: str) -> None:
    with step("the company and its sales team"):
        what = "making the company and its sales team"
        _run_inside(env, name, _call(), what=what)


def _call() -> str:
    """The call that makes the scene."""
    return f"prepare(env, json.loads({json.dumps(wanted())!r}))"


def _run_inside(env: Environment, name: str, call: str, what: str) -> None:
    """Feed `inside` and a call of it to Odoo's shell."""
    script = f"import json\n{INSIDE.read_text()}\n\n{call}\nenv.cr.commit()\n"
    with tempfile.TemporaryFile("w+") as file:
        file.write(script)
        file.seek(0)
        run(
            env.command("shell", "-d", name, "--no-http"),
            what=what,
            env=env.env(),
            log=env.logs / "demo-scene.log",
            stdin=file,
        )
