# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The demo's database: prepared once, then copied in a second for each run."""

import json
from dataclasses import asdict
from pathlib import Path

from devkit import database, prepared
from devkit.console import step
from devkit.demo import people
from devkit.environment import Environment

INSIDE = Path(__file__).with_name("inside.py")


def make(env: Environment, *, for_browser: bool, name: str | None = None) -> str:
    """A fresh database of the demo, with our addons and the scene. Returns its name.

    `for_browser`: with the web client's bundles, so that the first page is quick.
    """
    source = _with_bundles(env) if for_browser else _template(env)
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
    """The prepared database of the demo, for who needs no page."""
    prepare = f"prepare(env, json.loads({json.dumps(wanted())!r}))"

    def make(name: str) -> None:
        with step("the company and its sales team"):
            what = "making the company and its sales team"
            prepared.run_inside(env, name, _script(prepare), what)

    return prepared.ensure(env, "demo", prepared.ours(env), [_script(prepare)], make)


def _with_bundles(env: Environment) -> str:
    """The prepared database with all that the web client loads."""
    warm = _script("warm(env)")

    def make(name: str) -> None:
        with step("the web client's bundles, with ours"):
            prepared.run_inside(env, name, warm, "building the bundles")

    return prepared.ensure(env, "pages", _template(env), [warm], make)


def _script(call: str) -> str:
    """The functions of `inside`, and a call of one."""
    return f"import json\n{INSIDE.read_text()}\n\n{call}"
