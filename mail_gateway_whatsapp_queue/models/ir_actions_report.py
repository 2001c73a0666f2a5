# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import re

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools.safe_eval import safe_eval, time

from .. import compat

BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")  # that a name of a file has one of
# would hide how it ends
DIRECTIONS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST = 200  # letters of the name of a file


class IrActionsReport(models.Model):
    """What prints a document for a customer; only administrators read reports."""

    _inherit = "ir.actions.report"

    def _whatsapp_may_print(self):
        """Tell whether the user belongs to a group that prints with this report."""
        # sudo: ir.actions.report - for administrators only
        groups = self.sudo()[compat.GROUPS]
        return self.env.su or not groups or groups & self.env.user[compat.ALL_GROUPS]

    def _whatsapp_print(self, record):
        """Print a record as PDF, with the rights of this environment.

        :param record: one record of the model of the report
        :return: new ``ir.attachment`` that belongs to nobody yet
        :raise AccessError: the user may not read the record, or not print it
        :raise UserError: it cannot be printed
        """
        # sudo: ir.actions.report - for administrators only; the user's rights follow
        report_sudo = self.sudo()
        record = record.with_env(self.env)
        record.check_access("read")
        self._whatsapp_check_prints(record)
        if not self._whatsapp_may_print():
            raise AccessError(
                self.env._("You may not print with the report %s.", report_sudo.name)
            )
        return self.env["ir.attachment"].create(
            {
                "name": self._whatsapp_file_name(record),
                "raw": self._whatsapp_content(record),
                "mimetype": "application/pdf",
                # as a file that somebody is about to send: what is not is removed
                "res_model": "mail.compose.message",
                "res_id": 0,
            }
        )

    def _whatsapp_check_prints(self, record):
        """Refuse a report of other documents: it would print those with the same ids.

        :raise UserError: it prints none of this kind
        """
        # sudo: ir.actions.report - for administrators only
        report_sudo = self.sudo()
        if report_sudo.model != record._name:
            raise UserError(
                self.env._(
                    "The report %s prints documents of another kind.", report_sudo.name
                )
            )

    def _whatsapp_content(self, record):
        """Return the PDF of a record that the user may print, bytes. A hook.

        :raise UserError: it cannot be printed
        """
        # sudo: ir.actions.report - for administrators only
        report_sudo = self.sudo()
        content, kind = self.env["ir.actions.report"]._render_qweb_pdf(
            report_sudo.id, record.ids
        )
        if kind != "pdf":
            raise UserError(
                self.env._("The report %s could not be made a PDF.", report_sudo.name)
            )
        return content

    def _whatsapp_file_name(self, record):
        """Return what the file is called that a record is printed to.

        :raise UserError: the report prints no documents of this kind
        """
        self._whatsapp_check_prints(record)
        # sudo: ir.actions.report - for administrators only
        expression = self.sudo().print_report_name
        values = {"object": record, "time": time}
        name = safe_eval(expression, values) if expression else record.display_name
        name = DIRECTIONS.sub("", re.sub(r"[/\\]", "-", str(name)))
        name = BLANKS.sub(" ", name).strip()
        return f"{name[:LONGEST]}.pdf"
