# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Runs inside Odoo's shell: the app list's part of the test of the wheels.

The text of this file is fed to `odoo shell`, followed by the names of our addons that
are there (ADDONS) and of those that are to be installed (TOP), and by a call of one of
its functions.
"""

import json
import time

ADDONS: list[str] = []
TOP: list[str] = []
KEY, NUMBER = "webhook-key", "10001"


def begin(env) -> None:
    """OCA at work before the addon: one customer, three conversations, a lead."""
    gateway = env["mail.gateway"].create(
        {
            "name": "Antes",
            "gateway_type": "whatsapp",
            "token": "EAAbefore",
            "webhook_key": "before",
            "webhook_secret": "before",
            "whatsapp_from_phone": "10009",
        }
    )
    crowd = env["res.partner"].create([{"name": f"Member {n}"} for n in range(50)])
    for token in ("+5215587654321", "525587654321", "5215587654321"):
        channel = env["discuss.channel"].create(
            {
                "name": "Old",
                "channel_type": "gateway",
                "gateway_id": gateway.id,
                "gateway_channel_token": token,
                "channel_member_ids": [
                    (0, 0, {"partner_id": partner.id}) for partner in crowd
                ],
            }
        )
        crowd |= env["res.partner"].create({"name": f"Only in {token}"})
        message = channel.with_context(no_gateway_notification=True).message_post(
            body=f"To {token}", message_type="comment"
        )
        env["mail.notification"].create(
            {
                "mail_message_id": message.id,
                "gateway_channel_id": channel.id,
                "notification_type": "gateway",
                "gateway_type": "whatsapp",
                "notification_status": "sent",
            }
        )
        env["ir.attachment"].create(
            {
                "name": f"{token}.txt",
                "raw": b"x",
                "res_model": "discuss.channel",
                "res_id": channel.id,
            }
        )
    env["crm.lead"].create({"name": "By hand", "phone": "+52 55 8765 4321"})
    env.cr.commit()


def said(env) -> None:
    """Count what hangs on those conversations."""
    channels = env["discuss.channel"].search([("name", "=", "Old")])
    attached = [("res_model", "=", channels._name), ("res_id", "in", channels.ids)]
    facts = {
        "channels": len(channels),
        # OdooBot took part because it created them: the addon takes it out
        "people": len(
            channels.channel_member_ids.partner_id - env.ref("base.partner_root")
        ),
        "messages": env["mail.message"].search_count(
            [("model", "=", channels._name), ("res_id", "in", channels.ids)]
        ),
        "notifications": env["mail.notification"].search_count(
            [("gateway_channel_id", "in", channels.ids)]
        ),
        "files": env["ir.attachment"].search_count(attached),
    }
    print("FACTS", json.dumps(facts))


def install_again(env) -> None:
    """Click Install once more."""
    env["ir.module.module"].search([("name", "in", TOP)]).button_immediate_install()


def install_glue(env) -> None:
    """Click Install on what joins ours with applications that are there."""
    env["ir.module.module"].update_list()
    ours = env["ir.module.module"].search([("name", "in", ADDONS)])
    new = ours.filtered(
        lambda module: (
            module.state == "uninstalled"
            and {need.state for need in module.dependencies_id} == {"installed"}
        )
    )
    new.button_immediate_install()


def in_a_copy(env) -> None:
    """Try everything by which something could leave a neutralized database."""
    channel = env["discuss.channel"].search([("name", "=", "Ana")])
    gateway = channel.gateway_id
    # a moment ago, so that only the copy forbids it
    channel.whatsapp_last_customer_date = env.cr.now().replace(microsecond=0)
    gateway.write(
        {
            "token": "EAAcopy",
            "whatsapp_from_phone": "10007",
            "webhook_key": "copy-key",
            "webhook_secret": "copy",
            "whatsapp_security_key": "copy",
            "integrated_webhook_state": "integrated",
        }
    )
    facts = {"refused": _refused(env, channel), "client": ""}
    try:
        gateway._whatsapp_client()
    except Exception as error:
        facts["client"] = error.reason
    facts["webhook"] = bool(env["mail.gateway"]._whatsapp_webhook("copy-key"))
    facts["paused"] = bool(gateway.whatsapp_pause_reason)
    gateway.action_whatsapp_connect_copy()
    facts["refused after"] = _refused(env, channel)
    env.cr.rollback()
    print("FACTS", json.dumps(facts))


def _refused(env, channel) -> str:
    """Answer; return why that is not possible, or an empty text."""
    try:
        with env.cr.savepoint():
            channel.message_post(
                body="From the copy",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )
    except Exception as error:
        return str(error)
    return ""


def install(env) -> None:
    """Find the addons in the app list, say what stands there, and click Install."""
    env["ir.module.module"].update_list()
    facts = {}
    for module in env["ir.module.module"].search([("name", "in", ADDONS)]):
        facts[module.name] = {
            **{name: module[name] for name in ("state", "application", "shortdesc")},
            "version": module.installed_version,  # Odoo's name for that of the files
            "has_icon": bool(module.icon_image),
            "description": str(module.description_html or ""),
        }
    print("FACTS", json.dumps(facts))
    env.cr.commit()
    install_again(env)


def use(env) -> None:
    """What a company does with it: settings, a customer, an answer, own changes."""
    gateway = _set_up(env)
    channel = _hear(env, gateway, "5215512345678", "Ana")
    _answer(env, channel)
    old = env["discuss.channel"].search([("name", "=", "Old")])
    notifications = env["mail.notification"].search(
        [("gateway_channel_id", "=", old.id)], order="id"
    )
    notifications[0].notification_status = "whatsapp_delivered"
    notifications[1].notification_status = "whatsapp_read"
    channel.lead_id.activity_schedule("mail.mail_activity_data_todo")
    _change_what_came_with_it(env)
    env.cr.commit()


def uninstall(env, name: str) -> None:
    """Click Uninstall."""
    env["ir.module.module"].search([("name", "=", name)]).button_immediate_uninstall()


def go_on(env) -> None:
    """Another customer writes and is answered."""
    gateway = env["mail.gateway"].search([("name", "=", "Ventas")])
    queue = env["whatsapp.message.queue"]
    before = queue.search_count([])
    channel = _hear(env, gateway, "5215598765432", "Eva")
    messages = [("model", "=", channel._name), ("res_id", "in", channel.ids)]
    facts = {"heard": env["mail.message"].search_count(messages)}
    facts["refused"] = _refused(env, channel)
    facts["queued"] = queue.search_count([]) - before
    env.cr.commit()
    print("FACTS", json.dumps(facts))


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
    env["ir.config_parameter"].set_param(f"{ADDONS[0]}.retry_minutes", "2, 4")
    return gateway


def _hear(env, gateway, sender: str, name: str):
    message = {
        "from": sender,
        "id": f"wamid.package.{sender}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "Hola"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": name}, "wa_id": message["from"]}],
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
    own = [("gateway_id", "=", gateway.id), ("name", "=", name)]
    return env["discuss.channel"].search(own)


def _answer(env, channel) -> None:
    channel.with_user(channel.lead_id.user_id).message_post(
        body="Hola, Ana", message_type="comment", subtype_xmlid="mail.mt_comment"
    )


def _record(env, name: str):
    """The record of an XML id, whichever of our addons has it."""
    domain = [("module", "in", ADDONS), ("name", "=", name)]
    found = env["ir.model.data"].search(domain)
    return env[found.model].browse(found.res_id)


def _change_what_came_with_it(env) -> None:
    """What a user may change and keeps, and what the addons take back."""
    _record(env, "ir_cron_message_queue").interval_number = 7
    _record(env, "automation_immediate_call").active = False
    _record(env, "canned_response_saludo").substitution = "¡Buenas!"
    _record(env, "utm_source_meta").name = "Meta (anuncios)"
    _record(env, "mail_activity_type_paused").icon = "fa-bell"
    errors = env["whatsapp.error"]
    own = {"code": "999999", "name": "Own", "advice": "Call us."}
    own |= {"kind": "permanent", "actor": "salesperson"}
    errors.create(own)
    errors.search([("code", "=", "busy")]).advice = "Changed by hand"
    # as a version before shipped it
    before = errors.search([("code", "=", "slow")]).with_context(install_mode=True)
    before.advice = "Shipped before"
    for language in env["res.lang"].get_installed():
        if language[0].startswith("es"):
            before.with_context(lang=language[0]).advice = "Antes"
