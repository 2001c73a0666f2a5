# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Connects Odoo with the simulator, as an administrator does it with Meta."""

import secrets
from dataclasses import dataclass

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
    """Set up the gateway on both sides. Its secrets are new, and never shown."""
    key = secrets.token_urlsafe(24)
    at_meta = simulator.setup(
        app={
            "name": people.COMPANY["name"],
            "secret": secrets.token_hex(16),
            "token": f"EAA{secrets.token_urlsafe(48)}",
            "verify_token": secrets.token_urlsafe(16),
            "callback_url": f"{url}/gateway/whatsapp/{key}/update",
        },
        account={"name": people.COMPANY["name"]},
        number={
            "phone": people.COMPANY["phone"],
            "verified_name": people.COMPANY["name"],
        },
    )
    _set_parameters(admin, simulator, url)
    gateway_id = _make_gateway(admin, at_meta, key)
    admin.call("mail.gateway", "set_webhook", [gateway_id])
    _verify(admin, simulator, at_meta["app"]["id"], gateway_id)
    return Gateway(gateway_id, at_meta["account"]["id"], at_meta["number"]["id"])


def _set_parameters(admin: Session, simulator: Simulator, url: str) -> None:
    for name, value in (
        ("web.base.url", url),
        ("crm_whatsapp_gateway.graph_url", simulator.base_url),
    ):
        admin.call("ir.config_parameter", "set_param", name, value)


def _make_gateway(admin: Session, at_meta: dict, key: str) -> int:
    app = at_meta["app"]
    team = admin.read("crm.team", [("name", "=", people.TEAM)], "user_id")[0]
    return admin.create(
        "mail.gateway",
        name=people.COMPANY["name"],
        gateway_type="whatsapp",
        token=app["token"],
        webhook_key=key,
        webhook_secret=app["secret"],
        whatsapp_security_key=app["verify_token"],
        whatsapp_from_phone=at_meta["number"]["id"],
        whatsapp_account_id=at_meta["account"]["id"],
        whatsapp_team_id=team["id"],
        member_ids=[team["user_id"][0]],
    )


def _verify(admin: Session, simulator: Simulator, app_id: str, gateway_id: int) -> None:
    """Meta asks the webhook for its token, and Odoo then counts as connected."""
    answer = simulator.verify(app_id)
    if not answer["ok"]:
        raise Failure(f"the webhook was not verified: {answer['error']}")
    gateway = admin.read(
        "mail.gateway", [("id", "=", gateway_id)], "integrated_webhook_state"
    )[0]
    if gateway["integrated_webhook_state"] != "integrated":
        raise Failure("the gateway is not integrated after Meta's verification")
