# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from time import monotonic

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .. import compat
from ..queue.locks import in_transaction, remove_in_batches
from ..tools.template import Variable
from .whatsapp_guarded import GUARDED

_logger = logging.getLogger(__name__)

SECONDS = 60  # of one run of the cron, after which it is triggered again
OPEN = ("waiting", "queued")  # outcomes that may still change by themselves, or can be


class WhatsappBatch(models.Model):
    """Documents that somebody sends at once: each of them once, or it says why not.

    A cron works on the lines, each in a transaction of its own, with the rights of who
    sent them; the queue sends at the pace of the number.
    """

    _name = "whatsapp.batch"
    _description = "Documents sent by WhatsApp at once"
    _inherit = [GUARDED]
    _order = "id desc"

    name = fields.Char(readonly=True)
    res_model = fields.Char(string="Model", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Sent by",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    gateway_id = fields.Many2one(
        "mail.gateway",
        string="From",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="gateway_id.company_id", store=True)
    template_id = fields.Many2one(
        "mail.whatsapp.template", readonly=True, ondelete="set null"
    )
    report = fields.Many2one(
        "ir.actions.report",
        string="Printed with",
        readonly=True,
        ondelete="set null",
        groups="base.group_system",
    )
    file_id = fields.Many2one("ir.attachment", readonly=True, ondelete="set null")
    values = fields.Json(
        string="Values for all", readonly=True, groups="base.group_system"
    )
    context = fields.Json(
        string="Companies and language", readonly=True, groups="base.group_system"
    )
    line_ids = fields.One2many("whatsapp.batch.line", "batch_id", readonly=True)
    total = fields.Integer(compute="_compute_counts")
    waiting = fields.Integer(compute="_compute_counts")
    sent = fields.Integer(compute="_compute_counts")
    delivered = fields.Integer(compute="_compute_counts")
    seen = fields.Integer(string="Read by the customer", compute="_compute_counts")
    failed = fields.Integer(compute="_compute_counts")
    refused = fields.Integer(string="Not sent", compute="_compute_counts")
    canceled = fields.Integer(string="Given up", compute="_compute_counts")
    progress = fields.Float(compute="_compute_counts")
    is_open = fields.Boolean(string="In progress", compute="_compute_counts")

    @api.depends("line_ids.state", "line_ids.row_id.state", "line_ids.row_id.delivery")
    def _compute_counts(self):
        for batch in self:
            counts = dict.fromkeys(
                (
                    *("waiting", "queued", "sent", "delivered", "read", "uncertain"),
                    *("failed", "refused", "canceled"),
                ),
                0,
            )
            for outcome in batch.line_ids.mapped("outcome"):
                counts[outcome] += 1
            total = sum(counts.values())
            open_lines = counts["waiting"] + counts["queued"]
            batch.total = total
            batch.waiting = open_lines
            batch.sent = counts["sent"] + counts["uncertain"]
            batch.seen = counts["read"]
            for name in ("delivered", "failed", "refused", "canceled"):
                batch[name] = counts[name]
            batch.progress = 100 * (total - open_lines) / total if total else 0
            batch.is_open = bool(open_lines)

    # ------------------------------------------------------------- what people do

    def _check_mine(self):
        """Refuse who may not see these.

        :raise AccessError: whoever works now may not read them
        """
        self.env.user._whatsapp_check_works()
        self.with_user(self.env.uid).check_access("read")

    def action_cancel(self):
        """Give up what has not left yet.

        :raise AccessError: it is another's
        :raise UserError: everything has left
        """
        self._check_mine()
        # sudo: whatsapp.batch - who sees it decides about it; fields of ours are
        # written by methods only
        lines = self.sudo().line_ids
        waiting = lines.filtered(lambda line: line.state == "waiting")
        queued = lines.row_id.filtered(lambda row: row.state == "queued")
        if not (waiting or queued):
            raise UserError(
                self.env._("There is nothing to give up: everything has left.")
            )
        waiting.write({"state": "canceled"})
        if queued:
            queued.action_cancel()

    def action_retry(self):
        """Send again what failed, and what could not be sent.

        :raise AccessError: it is another's
        :raise UserError: there is nothing, or nothing of it can be sent again
        """
        self._check_mine()
        # sudo: whatsapp.batch - as in action_cancel
        lines = self.sudo().line_ids
        refused = lines.filtered(lambda line: line.state == "refused")
        failed = lines.row_id.filtered(lambda row: row.state == "failed")
        ready = failed._open_to("retry")
        if not (refused or failed):
            raise UserError(
                self.env._("There is nothing to send again: nothing has failed.")
            )
        if not (refused or ready):
            raise UserError(failed._why_not("retry"))
        refused.write({"state": "waiting", "reason": False, "tries": 0})
        if ready:
            ready.action_retry()
        self._whatsapp_cron()._trigger()

    def action_refresh(self):
        """Show how far it is."""
        self._check_mine()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    # ------------------------------------------------------------- background work

    @api.model
    def _whatsapp_cron(self):
        # sudo: ir.cron - whoever sends may not read crons
        return self.env.ref("mail_gateway_whatsapp_queue.ir_cron_batch").sudo()

    @api.model
    def _cron_send(self):
        """Give the queue what waits, document by document."""
        registry, enough = self.env.registry, monotonic() + SECONDS
        lines = self.env["whatsapp.batch.line"]._name
        while monotonic() < enough:
            line_id = in_transaction(registry, lambda env: env[lines]._take_next())
            if not line_id:
                return
            try:
                in_transaction(
                    registry, lambda env, one=line_id: env[lines].browse(one)._send()
                )
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                _logger.info("line %s of a batch is tried again", line_id)
            except Exception:  # one document must not keep the others waiting
                _logger.exception("line %s of a batch could not be sent", line_id)
        self._whatsapp_cron()._trigger()

    def _values(self):
        """Return the values for all: ``tools.template.Variable`` -> str."""
        return {
            Variable(part, name, index): value
            for part, name, index, value in self.values or []
        }

    @api.autovacuum
    def _gc_batches(self):
        """Remove what is done: the lines hold personal data."""
        limit = self.env["mail.gateway"]._whatsapp_kept_since()
        done, left = remove_in_batches(
            self,
            [
                ("create_date", "<", limit),
                ("line_ids", "not any", [("state", "=", "waiting")]),
            ],
            size=100,
        )
        compat.vacuum_again(self.env, left)
        return done, left
