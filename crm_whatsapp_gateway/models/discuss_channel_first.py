# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from .hr_employee import SALESPERSON

FIRST = "whatsapp.channel.first"


class WhatsappChannelFirst(models.AbstractModel):
    """Whoever writes to a customer first has the conversation, and gets the answer. A
    part of ``discuss.channel``.
    """

    _name = FIRST
    _description = "Who wrote to a WhatsApp customer first"

    whatsapp_starter_id = fields.Many2one(
        "res.users",
        string="Wrote first",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Has the conversation until the customer answers, and gets the lead then.",
    )

    @api.depends("lead_id", "lead_id.user_id", "whatsapp_starter_id")
    def _compute_whatsapp_user_id(self):
        for channel in self:
            lead = channel.lead_id
            channel.whatsapp_user_id = (
                lead.user_id if lead else channel.whatsapp_starter_id
            )

    def _whatsapp_message_sent(self, message, by_phone=False):
        """Keep who wrote first while there is no open lead."""
        res = super()._whatsapp_message_sent(message, by_phone)
        if not by_phone and not self.lead_id._whatsapp_is_open():
            user = message.author_id.user_ids.filtered("active")[:1]
            starter = self.whatsapp_starter_id
            if user != starter and self._whatsapp_gets_leads(user):
                if not self._whatsapp_gets_leads(starter):
                    self.whatsapp_starter_id = user
                    self._whatsapp_refresh_chats()
        return res

    def _whatsapp_store_values(self):
        """Tell the chat whose it is while there is no lead."""
        # sudo: res.users - the name of a colleague, to who sees the conversation
        starter = self.sudo().whatsapp_starter_id
        return {
            **super()._whatsapp_store_values(),
            "whatsapp_starter": starter.name or "",
        }

    def _whatsapp_gets_leads(self, user):
        """Tell whether somebody is a salesperson who gets leads of this company.

        :param user: ``res.users``, one or none
        """
        company = self._whatsapp_company()
        if not user.active or company not in user.company_ids:
            return False
        # sudo: hr.employee - who writes need not read employees
        employees = self.env["hr.employee"].sudo()
        return user.has_group(SALESPERSON) and bool(
            employees.search_count(
                [
                    ("user_id", "=", user.id),
                    ("company_id", "=", company.id),
                    ("whatsapp_agent", "=", True),
                ],
                limit=1,
            )
        )

    def _whatsapp_prefer_starter(self):
        """Return who wrote first and the reason, as one of a list; empty: nobody."""
        # sudo: res.users - whom the webhook user may not read, too
        starter = self.sudo().whatsapp_starter_id
        if not (starter and self._whatsapp_gets_leads(starter)):
            return []
        return [(starter, self.env._("Wrote to this customer first"))]

    def _whatsapp_forget_starter(self):
        """The lead has its salesperson from now on."""
        for channel in self.filtered("whatsapp_starter_id"):
            channel.whatsapp_starter_id = False
