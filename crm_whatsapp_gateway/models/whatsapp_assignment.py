# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from time import monotonic

from odoo import api, fields, models

from odoo.addons.mail_gateway_whatsapp_queue import compat
from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import (
    in_transaction,
    try_locks,
)

from .hr_employee import FIRST_TURN

_logger = logging.getLogger(__name__)

AT_ONCE = 2000  # leads that one run of the cron looks at
SECONDS = 40  # after which it leaves the rest to its next run


class WhatsappAssignment(models.Model):
    """Which lead went to whom, and why: by a turn, or because it was theirs.

    The turns are read from here. Rows are only ever added, so that parallel
    assignments never meet in one row. The automation rule 'immediate call' watches
    this model: a rule that watches leads would cost every user of the CRM some
    twenty queries for each lead that is written.
    """

    _name = "whatsapp.assignment"
    _description = "WhatsApp lead assignment"
    _order = "id desc"
    _rec_name = "lead_id"

    employee_id = fields.Many2one(
        "hr.employee",
        string="Turn of",
        readonly=True,
        ondelete="cascade",
        help="Whose turn was taken; empty if the lead had its salesperson already.",
    )
    user_id = fields.Many2one(
        "res.users", string="Salesperson", readonly=True, ondelete="set null"
    )
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, ondelete="set null", index="btree_not_null"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    giver_id = fields.Many2one(
        "res.users",
        string="Handed over by",
        readonly=True,
        ondelete="set null",
        help="The colleague who gave it; empty if Odoo did.",
    )
    reason = fields.Char(readonly=True)

    def init(self):
        """Make the indexes that find each employee's last turn, and own turns."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS whatsapp_assignment_turn_idx
                ON whatsapp_assignment (employee_id, id);
            CREATE INDEX IF NOT EXISTS whatsapp_assignment_user_idx
                ON whatsapp_assignment (user_id, id);
            """
        )
        return super().init()

    @api.model
    def _note(self, lead, choice, company=None, giver=None):
        """Add a row; the rule 'immediate call' acts on it.

        :param lead: ``crm.lead`` that is in its salesperson's hands, or None
        :param choice: ``models.hr_employee.Choice``: who got it, and why
        :param company: ``res.company`` of the pool; default: that of the lead
        :param giver: ``res.users`` who handed it over, or None
        """
        company = company or lead._whatsapp_company()
        # sudo: whatsapp.assignment - nobody writes it by hand
        row = self.sudo().create(
            {
                "company_id": company.id,
                "lead_id": lead.id if lead else False,
                "employee_id": choice.employee.id,
                "user_id": choice.user.id,
                "giver_id": giver.id if giver else False,
                "reason": choice.reason,
            }
        )
        if compat.is_real_cursor(self.env.cr):  # else all is one transaction
            self.env.cr.postcommit.data.setdefault(FIRST_TURN, row.id)
        return row

    # ------------------------------------------------------------- cron

    @api.model
    def _whatsapp_cron(self):
        # sudo: ir.cron - whoever comes on duty may not read crons
        return self.env.ref("crm_whatsapp_gateway.ir_cron_assignment").sudo()

    @api.model
    def _cron_hand_out(self):
        """Hand out the leads that wait, and pass on those that nobody answered, or
        whose salesperson is away.
        """
        until = monotonic() + SECONDS
        leads = self.env["crm.lead"]
        for find, queue_of, work in (
            (leads._whatsapp_in_queue, "_whatsapp_queue", "_whatsapp_assign_queued"),
            (leads._whatsapp_overdue, "_whatsapp_answer_queue", "_whatsapp_reassign"),
            (
                leads._whatsapp_left_by,
                "_whatsapp_owner_queue",
                "_whatsapp_reassign_absent",
            ),
        ):
            idle = set()  # queues for which nobody is on duty now
            for lead in find(limit=AT_ONCE):
                queue = getattr(lead, queue_of)()
                if queue in idle or monotonic() > until:
                    continue
                if not self._in_a_transaction(lead, work):
                    idle.add(queue)

    def _in_a_transaction(self, lead, work):
        """Do something with one lead; the others do not depend on it.

        Locked as the work on a message of the customer is: person, then pool.

        :return: False if nobody is on duty for it
        """

        def do(env):
            fresh = env[lead._name].browse(lead.id).exists()
            lang = fresh._whatsapp_gateway()._whatsapp_lang()
            return not fresh or getattr(fresh.with_context(lang=lang), work)()

        registry = self.env.registry
        keys = lead.whatsapp_channel_ids._whatsapp_lock_keys()
        try:
            with try_locks(registry, keys) as mine:
                return not mine or in_transaction(registry, do)
        except Exception:  # one lead must not keep the others waiting
            _logger.exception("lead %s could not be handed on", lead.id)
            return True
