# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Runs inside Odoo's shell: makes the shop, its sales team, and their accounts.

The text of this file is fed to `odoo shell`, followed by a call of `prepare`.
"""

from datetime import timedelta

from odoo import fields


def prepare(env, wanted: dict) -> None:
    """Make the scene of the demo; changes what is there already."""
    _make_company(env, wanted)
    _make_admin(env, wanted)
    users = {who["login"]: _make_user(env, wanted, who) for who in wanted["people"]}
    for who in wanted["people"]:
        _make_employee(env, who, users[who["login"]])
    _make_team(env, wanted, users)


def _make_company(env, wanted: dict) -> None:
    country = env.ref(f"base.{wanted['country'].lower()}")
    currency = env["res.currency"].with_context(active_test=False)
    currency = currency.search([("name", "=", wanted["currency"])])
    currency.active = True
    values = {**wanted["company"], "country_id": country.id}
    env.company.write({**values, "currency_id": currency.id})
    env.company.partner_id.lang = wanted["language"]


def _make_admin(env, wanted: dict) -> None:
    login, password = wanted["admin"]
    admin = env.ref("base.user_admin")
    admin.write({"login": login, "password": password, "tz": wanted["timezone"]})


def _make_user(env, wanted: dict, who: dict):
    group = "manager" if who["leads_team"] else "salesman"
    group = env.ref(f"sales_team.group_sale_{group}")
    users = env["res.users"].with_context(no_reset_password=True)
    groups = "group_ids" if "group_ids" in users._fields else "groups_id"
    values = {
        "name": who["name"],
        "password": who["password"],
        "email": f"{who['login']}@mueblesdelvalle.example",
        "lang": wanted["language"],
        "tz": wanted["timezone"],
        # no mail server here: notifications are read in Odoo
        "notification_type": "inbox",
        groups: [(4, group.id), (4, env.ref("base.group_user").id)],
    }
    user = users.search([("login", "=", who["login"])])
    if user:
        user.write(values)
        return user
    return users.create({**values, "login": who["login"]})


def _make_employee(env, who: dict, user) -> None:
    employee = env["hr.employee"].search([("user_id", "=", user.id)])
    employee = employee or env["hr.employee"].create(
        {"name": who["name"], "user_id": user.id, "company_id": env.company.id}
    )
    employee.job_title = who["job"]
    # who leads the team watches; the others take turns
    employee.whatsapp_agent = not who["leads_team"]
    if who["on_leave"]:
        _send_on_leave(env, employee)


def _send_on_leave(env, employee) -> None:
    leaves = env["resource.calendar.leaves"]
    mine = [("resource_id", "=", employee.resource_id.id)]
    leaves.search(mine).unlink()
    now = fields.Datetime.now()
    leaves.create(
        {
            "name": "Vacaciones",
            "resource_id": employee.resource_id.id,
            "calendar_id": employee.resource_calendar_id.id,
            "date_from": now - timedelta(days=1),
            "date_to": now + timedelta(days=3650),
        }
    )


def _make_team(env, wanted: dict, users: dict) -> None:
    leader = next(who["login"] for who in wanted["people"] if who["leads_team"])
    team = env["crm.team"].search([("name", "=", wanted["team"])])
    team = team or env["crm.team"].create({"name": wanted["team"]})
    team.user_id = users[leader]
    for login, user in users.items():
        if login != leader and user not in team.member_ids:
            team.member_ids += user
