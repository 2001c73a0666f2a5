# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from time import monotonic

from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import (
    in_transaction,
    try_locks_each,
)

_logger = logging.getLogger(__name__)

AT_ONCE = 2000  # conversations that one run of the cron looks at
SECONDS = 40  # after which it leaves the rest to its next run
BATCH = 20  # conversations of one transaction


class WhatsappAnswer(models.Model):
    """How long a customer waited for a person to answer: one row each time.

    Written by the answer, never by the customer's message. It holds no personal data,
    so that the figures may stay when conversations and leads are gone.
    """

    _name = "whatsapp.answer"
    _description = "WhatsApp answer"
    _order = "answered_at desc, id desc"
    _rec_name = "lead_id"

    channel_id = fields.Many2one(
        "discuss.channel",
        string="Conversation",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, ondelete="set null", index="btree_not_null"
    )
    user_id = fields.Many2one(
        "res.users",
        string="Answered by",
        readonly=True,
        ondelete="set null",
        help="Empty: somebody answered in the app on the phone.",
    )
    team_id = fields.Many2one(
        "crm.team", string="Sales team", readonly=True, ondelete="set null"
    )
    gateway_id = fields.Many2one(
        "mail.gateway", string="Number", readonly=True, ondelete="set null"
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="set null")
    waiting_since = fields.Datetime(readonly=True)
    answered_at = fields.Datetime(readonly=True, index=True)
    is_first = fields.Boolean(
        string="First answer",
        readonly=True,
        help="The first one since WhatsApp opened the lead.",
    )
    seconds = fields.Integer(readonly=True, help="By the clock, nights included.")
    working_seconds = fields.Integer(
        readonly=True,
        help="Within the working hours of the lead's salesperson, in their time zone;"
        " else within those of the team or the company. Public holidays do not count,"
        " somebody's own leave does: the customer waits.",
    )
    working_minutes = fields.Float(compute="_compute_minutes", digits=(16, 1))
    minutes = fields.Float(
        string="Minutes by the clock",
        compute="_compute_minutes",
        digits=(16, 1),
        help="Nights, Sundays and holidays included.",
    )
    late = fields.Boolean(readonly=True, help="After the target of the number.")

    @api.depends("seconds", "working_seconds")
    def _compute_minutes(self):
        for answer in self:
            answer.minutes = answer.seconds / 60
            answer.working_minutes = answer.working_seconds / 60

    # ------------------------------------------------------------- cron

    @api.model
    def _whatsapp_cron(self):
        # sudo: ir.cron - see whatsapp.assignment
        return self.env.ref("crm_whatsapp_gateway.ir_cron_late").sudo()

    @api.model
    def _cron_mark_late(self):
        """Mark the conversations that wait longer than their number's target."""
        until = monotonic() + SECONDS
        overdue = self.env["whatsapp.conversation"]._overdue(AT_ONCE)
        for start in range(0, len(overdue), BATCH):
            if monotonic() > until:
                self._whatsapp_cron()._trigger()
                return
            self._mark_late(overdue[start : start + BATCH])

    @api.model
    def _mark_late(self, chats):
        """Mark conversations in one transaction; after an error each in its own.

        With whom somebody works at the moment is left to the next run.
        """
        registry = self.env.registry
        wanted = {chat.id: chat.channel_id._whatsapp_lock_keys() for chat in chats}
        try:
            with try_locks_each(registry, wanted) as held:

                def do(env):
                    for chat in env[chats._name].browse(sorted(held)).exists():
                        chat._mark_late()

                in_transaction(registry, do)
        except Exception:
            if len(chats) == 1:
                _logger.exception("conversation %s is not marked late", chats.id)
            else:
                for chat in chats:
                    self._mark_late(chat)
