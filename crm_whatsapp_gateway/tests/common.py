# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import Command
from odoo.tests import tagged

from odoo.addons.mail_gateway_whatsapp_queue import compat
from odoo.addons.mail_gateway_whatsapp_queue.tests.common import (
    ANA,
    BROWSER,
    HTTP,
    SECRET,
    GatewayCase,
    MetaSession,
    at,
)

__all__ = [
    "ANA",
    "BROWSER",
    "HTTP",
    "SECRET",
    "ConversationCase",
    "MetaSession",
    "WhatsappCase",
    "at",
]

SALESPERSON = "sales_team.group_sale_salesman"
GROUPS = "group_ids" if compat.V19 else "groups_id"


@tagged("post_install", "-at_install")
class WhatsappCase(GatewayCase):
    """A gateway, two salespeople with their turns, and a Meta that obeys."""

    notified_by = "inbox"  # a mail takes long to render: who is about one says so

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["hr.employee"].search([]).whatsapp_agent = False
        cls.team = cls.env["crm.team"].create({"name": "WhatsApp", "use_leads": False})
        cls.users, cls.employees = cls._salespeople("sofia", "tomas")
        cls.sofia, cls.tomas = cls.users
        cls.gateway.whatsapp_team_id = cls.team

    @classmethod
    def _salespeople(cls, *logins):
        """Make users as `new_test_user` does, all at once; return their employees, too.

        That they were made stands in no history: to tell it takes as long.
        """
        env = cls.env(context={**cls.env.context, "tracking_disable": True})
        users = env["res.users"].create(
            [
                {
                    "name": f"{login} ({SALESPERSON})",
                    "login": login,
                    "password": f"{login}xxx",
                    "email": f"{login[0]}.{login[0]}@example.com",
                    "notification_type": cls.notified_by,
                    GROUPS: [Command.set(env.ref(SALESPERSON).ids)],
                }
                for login in logins
            ]
        )
        employees = env["hr.employee"].create(
            [
                {"name": user.login, "user_id": user.id, "company_id": cls.company.id}
                for user in users
            ]
        )
        return users.with_env(cls.env), employees.with_env(cls.env)

    def responsible(self, channel):
        """Return the salesperson of the lead."""
        return channel.lead_id.user_id

    def template(self, body="Hello", **values):
        """Return a template that Meta has approved, about leads."""
        values.setdefault("model_id", self.env.ref("crm.model_crm_lead").id)
        return super().template(body, **values)

    def leads(self):
        """Return the leads that have a conversation."""
        return self.env["crm.lead"].search([("whatsapp_channel_ids", "!=", False)])


class ConversationCase(WhatsappCase):
    """A customer has written, and a salesperson has the lead."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hi"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
