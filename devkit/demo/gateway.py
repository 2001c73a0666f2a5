# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Connects Odoo with the simulator, as an administrator does it with Meta."""

import secrets
from dataclasses import dataclass

from devkit import paths
from devkit.console import Failure
from devkit.demo import people
from devkit.demo.rpc import Session
from devkit.simulator.client import Simulator


@dataclass(frozen=True)
class Gateway:
    """The gateway in Odoo, and what it is called at Meta."""

    id: int
    account_id: str
    number_id: str


def connect(admin: Session, simulator: Simulator, url: str) -> Gateway:
    """Set up the gateway on its page. Its secrets are new, and never shown."""
    at_meta = simulator.setup(
        app={
            "name": people.COMPANY["name"],
            "secret": secrets.token_hex(16),
            "token": f"EAA{secrets.token_urlsafe(48)}",
        },
        account={"name": people.COMPANY["name"], "subscriptions": []},
        number={
            "phone": people.COMPANY["phone"],
            "verified_name": people.COMPANY["name"],
        },
    )
    _set_parameters(admin, simulator, url)
    gateway_id = _make_gateway(admin, at_meta)
    admin.call("mail.gateway", "action_whatsapp_test", [gateway_id])
    for kind in ("subscribed", "webhook", "templates"):
        check = _check(admin, gateway_id, kind)
        admin.call("whatsapp.gateway.check", "action_fix", [check["id"]])
        check = _check(admin, gateway_id, kind)
        if check["state"] != "ok":
            raise Failure(f"the set-up of the gateway, {kind}: {check['found']}")
    return Gateway(gateway_id, at_meta["account"]["id"], at_meta["number"]["id"])


def _check(admin: Session, gateway_id: int, kind: str) -> dict:
    """One point of the set-up page."""
    domain = [("gateway_id", "=", gateway_id), ("kind", "=", kind)]
    return admin.read("whatsapp.gateway.check", domain, "state", "found")[0]


def _set_parameters(admin: Session, simulator: Simulator, url: str) -> None:
    for name, value in (
        ("web.base.url", url),
        (paths.parameter("graph_url"), simulator.base_url),
    ):
        admin.call("ir.config_parameter", "set_param", name, value)


def _make_gateway(admin: Session, at_meta: dict) -> int:
    app = at_meta["app"]
    team = admin.read("crm.team", [("name", "=", people.TEAM)], "user_id")[0]
    return admin.create(
        "mail.gateway",
        name=people.COMPANY["name"],
        gateway_type="whatsapp",
        token=app["token"],
        webhook_secret=app["secret"],
        whatsapp_from_phone=at_meta["number"]["id"],
        whatsapp_account_id=at_meta["account"]["id"],
        whatsapp_team_id=team["id"],
        member_ids=[team["user_id"][0]],
    )
