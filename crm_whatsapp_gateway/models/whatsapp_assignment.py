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

CRON = "crm_whatsapp_gateway.ir_cron_assignment"
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
    is_to_tell = fields.Boolean(
        string="The salesperson is still to be told", readonly=True
    )

    def init(self):
        """Make the indexes that find each employee's last turn, and own turns."""
        self.env.cr.execute(
            """
            CREATE INDEX IF NOT EXISTS whatsapp_assignment_turn_idx
                ON whatsapp_assignment (employee_id, id);
            CREATE INDEX IF NOT EXISTS whatsapp_assignment_user_idx
                ON whatsapp_assignment (user_id, id);
            CREATE INDEX IF NOT EXISTS whatsapp_assignment_to_tell_idx
                ON whatsapp_assignment (id) WHERE is_to_tell;
            """
        )
        return super().init()

    @api.model
    def _note(self, lead, choice, company=None, giver=None, tell=False):
        """Add a row; the rule 'immediate call' acts on it.

        :param lead: ``crm.lead`` that is in its salesperson's hands, or None
        :param choice: ``models.hr_employee.Choice``: who got it, and why
        :param company: ``res.company`` of the pool; default: that of the lead
        :param giver: ``res.users`` who handed it over, or None
        :param bool tell: the salesperson is to be told of the customer after the
            commit: the conversation is before them at once, nobody waits for that
        """
        tell = bool(tell and choice.user)
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
                "is_to_tell": tell,
            }
        )
        self.env["hr.employee"]._whatsapp_count_turn(row)
        if tell:
            self._whatsapp_cron()._trigger()
        if compat.is_real_cursor(self.env.cr):  # else all is one transaction
            self.env.cr.postcommit.data.setdefault(FIRST_TURN, row.id)
        return row

    # ------------------------------------------------------------- notices

    @api.model
    def _tell_planned(self):
        """Tell salespeople of their new customers, one by one."""
        for row in self.search([("is_to_tell", "=", True)], order="id", limit=AT_ONCE):
            try:
                in_transaction(
                    self.env.registry,
                    lambda env, row_id=row.id: env[self._name].browse(row_id)._tell(),
                )
            except Exception:  # nor must one notice keep the others waiting
                _logger.exception("assignment %s: nobody could be told", row.id)

    def _tell(self):
        """Tell the salesperson of the customer, unless somebody else has the lead."""
        row = self.exists()
        if not row.is_to_tell:
            return
        row.is_to_tell = False
        lead, user = row.lead_id, row.user_id
        if lead.user_id == user:
            lead.with_context(
                lang=user.lang, mail_notify_force_send=False
            )._whatsapp_notify_owner(user.partner_id.ids)

    # ------------------------------------------------------------- cron

    @api.model
    def _whatsapp_cron(self):
        # sudo: ir.cron - whoever comes on duty may not read crons
        crons = self.env["ir.cron"].sudo()
        return crons.browse(self.env["ir.model.data"]._xmlid_to_res_id(CRON))

    @api.model
    def _cron_hand_out(self):
        """Tell who got a lead; hand out the leads that wait, and pass on those that
        nobody answered, or whose salesperson is away.
        """
        self._tell_planned()
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
