# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .whatsapp_along import ALONG

SENDING = "mail_gateway_whatsapp_queue.sending"


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", ALONG]

    # OCA's, and those that say the same to whatever they are sent for
    whatsapp_template_id = fields.Many2one(
        domain="[('gateway_id', '=', whatsapp_gateway_id),"
        " ('model_id', 'in', [model_id, False])]"
    )
    whatsapp_contact_field_id = fields.Many2one(
        "ir.model.fields",
        string="Send to",
        domain="[('model_id', '=', model_id), ('relation', '=', 'res.partner')]",
        ondelete="cascade",
        help="The field with the customer. Empty: the number of the document itself,"
        " else its customer. Whoever works for the company gets nothing.",
    )
    whatsapp_is_recipient_known = fields.Boolean(
        compute="_compute_whatsapp_is_recipient_known"
    )

    @api.depends("model_id", "whatsapp_partner")
    def _compute_whatsapp_is_recipient_known(self):
        """Tell whether documents of this kind say by themselves to whom to send."""
        for action in self:
            documents = self.env.get(action.model_id.model or "")
            action.whatsapp_is_recipient_known = bool(action.whatsapp_partner) or (
                documents is not None
                and bool(
                    documents._mail_get_partner_fields()
                    or documents._whatsapp_number_names()
                )
            )

    @api.constrains("state", "model_id", "whatsapp_contact_field_id")
    def _check_whatsapp_contact_field_id(self):
        for action in self:
            field = action.whatsapp_contact_field_id
            if field and (
                field.model_id != action.model_id or field.relation != "res.partner"
            ):
                raise ValidationError(
                    self.env._(
                        "%(field)s is no contact of %(model)s. Please choose another"
                        " field to send to.",
                        field=field.field_description,
                        model=action.model_id.name,
                    )
                )

    def _run_action_whatsapp_multi(self, eval_context=None):
        """Replace OCA's, which looks for the number in one field that may not exist.

        What cannot be sent is said in the history of the record; the others, and the
        change that caused the action, do not depend on it.
        """
        context = self.env.context
        ids = context.get("active_ids") or [context.get("active_id")]
        if not self.whatsapp_template_id or not any(ids) or self._is_recompute():
            return False
        sending = self.env.cr.cache.setdefault(SENDING, set())
        for record in self.env[self.model_id.model].browse(ids).exists():
            now = (self.id, record.id)
            if now in sending:  # what sending writes, or computes, runs the rule again
                continue
            sending.add(now)
            try:
                record._whatsapp_send_automatically(
                    self.whatsapp_template_id,
                    self._whatsapp_customers_of(record),
                    self.whatsapp_gateway_id,
                )
            finally:
                sending.discard(now)
        return False

    def _whatsapp_customers_of(self, record):
        """Return the contacts that the action itself chooses, or None.

        :return: ``res.partner``, never one of ours
        """
        if self.whatsapp_contact_field_id:
            return record[self.whatsapp_contact_field_id.name]._whatsapp_outside()
        if self.whatsapp_partner and record._name != "res.partner":
            rendered = self.env["mail.render.mixin"]._render_template(
                self.whatsapp_partner, record._name, [record.id]
            )[record.id]
            if str(rendered).strip().isdecimal():
                found = self.env["res.partner"].browse(int(rendered)).exists()
                return found._whatsapp_outside()
        return None
