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


def make(env: Environment, name: str | None = None) -> str:
    """A fresh database of the demo, with our addons and the scene. Returns its name."""
    source = _template(env)
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
    """The prepared database of the demo."""
    call = f"prepare(env, json.loads({json.dumps(wanted())!r}))"
    script = f"import json\n{INSIDE.read_text()}\n\n{call}"

    def make(name: str) -> None:
        with step("the company and its sales team"):
            what = "making the company and its sales team"
            database.run_inside(env, name, script, what)

    return prepared.ensure(env, "demo", prepared.ours(env), [script], make)
