# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Runs inside Odoo's shell: the app list's part of the test of the wheel.

The text of this file is fed to `odoo shell`, followed by a call of one of its
functions.
"""

import json
import time

ADDON = "crm_whatsapp_gateway"
KEY, NUMBER = "webhook-key", "10001"


def install(env) -> None:
    """Find the addon in the app list, say what stands there, and click Install."""
    env["ir.module.module"].update_list()
    module = env["ir.module.module"].search([("name", "=", ADDON)])
    facts = {
        name: module[name]
        for name in ("state", "application", "shortdesc", "summary", "icon")
    }
    facts["version"] = module.installed_version  # Odoo's name for that of the files
    facts["has_icon"] = bool(module.icon_image)
    facts["description"] = str(module.description_html or "")
    print("FACTS", json.dumps(facts))
    env.cr.commit()
    module.button_immediate_install()


def use(env) -> None:
    """What a company does with it: settings, a customer, an answer, own changes."""
    gateway = _set_up(env)
    channel = _hear(env, gateway)
    _answer(env, channel)
    channel.lead_id.activity_schedule("mail.mail_activity_data_todo")
    _change_what_came_with_it(env)
    env.cr.commit()


def uninstall(env) -> None:
    """Click Uninstall."""
    env["ir.module.module"].search([("name", "=", ADDON)]).button_immediate_uninstall()


def _set_up(env):
    gateway = env["mail.gateway"].create(
        {
            "name": "Ventas",
            "gateway_type": "whatsapp",
            "token": "EAAtoken",
            "webhook_key": KEY,
            "webhook_secret": "app secret",
            "whatsapp_security_key": "verify me",
            "whatsapp_from_phone": NUMBER,
            "whatsapp_account_id": "20001",
            "integrated_webhook_state": "integrated",
            "whatsapp_reopen_days": 12,
            "whatsapp_stop_words": "NO MÁS",
        }
    )
    # nothing leaves: what is answered waits in the queue
    gateway.whatsapp_pause_reason = "a test"
    user = env["res.users"].create({"name": "Sofía", "login": "sofia"})
    env.ref("sales_team.group_sale_salesman").write(
        {
            "user_ids" if "user_ids" in env["res.groups"]._fields else "users": [
                (4, user.id)
            ]
        }
    )
    env["hr.employee"].create(
        {"name": "Sofía", "user_id": user.id, "whatsapp_limit": 7}
    )
    env["ir.config_parameter"].set_param(f"{ADDON}.retry_minutes", "2, 4")
    return gateway


def _hear(env, gateway):
    message = {
        "from": "5215512345678",
        "id": "wamid.package",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "Hola"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": message["from"]}],
        "messages": [message],
    }
    change = {"field": "messages", "value": value}
    body = {"entry": [{"id": "20001", "changes": [change]}]}
    env.cr.commit()
    events = env["whatsapp.webhook.event"]
    known = env["mail.gateway"]._whatsapp_webhook(KEY)
    events._store(env["mail.gateway.whatsapp"]._event_rows(known, body))
    events._drain(env.registry, time.monotonic() + 60, [])
    env.cr.commit()
    env.invalidate_all()
    return env["discuss.channel"].search([("gateway_id", "=", gateway.id)])


def _answer(env, channel) -> None:
    channel.with_user(channel.lead_id.user_id).message_post(
        body="Hola, Ana", message_type="comment", subtype_xmlid="mail.mt_comment"
    )


def _change_what_came_with_it(env) -> None:
    """What a user may change and keeps, and what the addon takes back."""
    env.ref(f"{ADDON}.ir_cron_message_queue").interval_number = 7
    env.ref(f"{ADDON}.automation_immediate_call").active = False
    env.ref(f"{ADDON}.canned_response_saludo").substitution = "¡Buenas!"
    env.ref(f"{ADDON}.utm_source_meta").name = "Meta (anuncios)"
    env.ref(f"{ADDON}.mail_activity_type_paused").icon = "fa-bell"
    errors = env["whatsapp.error"]
    own = {"code": "999999", "name": "Own", "advice": "Call us."}
    own |= {"kind": "permanent", "actor": "salesperson"}
    errors.create(own)
    errors.search([("code", "=", "busy")]).advice = "Changed by hand"
