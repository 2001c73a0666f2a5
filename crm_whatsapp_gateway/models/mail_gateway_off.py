# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.errors import CloudApiError
from .mail_gateway import SECRETS

# what a number leaves behind: field with the gateway, by model
HISTORY = {
    "discuss.channel": "gateway_id",
    "whatsapp.webhook.event": "gateway_id",
    "whatsapp.message.queue": "gateway_id",
}


class MailGateway(models.Model):
    """A number of which nothing leaves: archived, or in a copy of the database."""

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "mail.gateway"

    active = fields.Boolean(
        default=True,
        help="An archived number is not connected: it receives and sends nothing. Its"
        " conversations stay readable.",
    )
    whatsapp_copy_connected = fields.Boolean(
        string="Connected in a copy",
        readonly=True,
        copy=False,
        groups=SECRETS,
        help="An administrator connected this number on purpose, though the database"
        " is a neutralized copy.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_history(self):
        """Keep numbers with which something was said.

        :raise UserError: with what there is, and the way: archiving
        """
        for gateway in self.filtered(lambda one: one.gateway_type == "whatsapp"):
            # sudo: what others may not read counts all the same
            found = {
                model: self.env[model]
                .sudo()
                .with_context(active_test=False)
                .search_count([(name, "=", gateway.id)])
                for model, name in HISTORY.items()
            }
            if any(found.values()):
                raise UserError(
                    self.env._(
                        "%(name)s cannot be deleted: it has %(channels)s conversations,"
                        " %(events)s deliveries of Meta and %(rows)s outgoing messages,"
                        " which would be lost. Please archive it instead (Action,"
                        " Archive): then it receives and sends nothing, and what was"
                        " said stays readable.",
                        name=gateway.name,
                        channels=found["discuss.channel"],
                        events=found["whatsapp.webhook.event"],
                        rows=found["whatsapp.message.queue"],
                    )
                )

    def write(self, vals):
        """Let what waits go on when a number comes back."""
        archived = self.browse()
        if vals.get("active"):
            archived = self.filtered(lambda gateway: not gateway.active)
        res = super().write(vals)
        if "active" in vals:
            self._whatsapp_show_off()
        if archived:
            self.env["whatsapp.message.queue"]._whatsapp_cron()._trigger()
        return res

    def _whatsapp_show_off(self):
        """Tell the chats that are open whether something can be sent."""
        # sudo: discuss.channel - those that the administrator does not read, too
        channels = (
            self.env["discuss.channel"]
            .sudo()
            .search(
                [
                    ("gateway_id", "in", self.ids),
                    ("whatsapp_state", "in", ("open", "answered")),
                ],
                order="whatsapp_last_date desc",
                limit=500,
            )
        )
        channels._whatsapp_show_lead()

    # ------------------------------------------------------------- copies

    @api.model
    def _whatsapp_is_copy(self):
        # sudo: ir.config_parameter - what kind of database this is
        parameters = self.env["ir.config_parameter"].sudo()
        return bool(parameters.get_param("database.is_neutralized"))

    def _whatsapp_is_cut_off(self):
        """Tell whether the database is a copy that nobody connected on purpose."""
        # sudo: mail.gateway - whoever is about to send
        return self._whatsapp_is_copy() and not self.sudo().whatsapp_copy_connected

    def _whatsapp_why_off(self):
        """Return why nothing is sent from this number, or an empty text.

        A pause is no reason: what is written then is sent later.
        """
        self.ensure_one()
        gateway = self.sudo()  # mail.gateway - whoever is about to send
        if not gateway.active:
            return self.env._(
                "The number %s is archived: it receives and sends nothing. An"
                " administrator can unarchive it under CRM, WhatsApp, Numbers and"
                " set-up.",
                gateway.name,
            )
        if gateway.gateway_type == "whatsapp" and gateway._whatsapp_is_cut_off():
            return self.env._(
                "This database is a copy, so nothing is sent to customers. An"
                " administrator can connect the copy on purpose on the page Set-up of"
                " the number %s.",
                gateway.name,
            )
        return ""

    def _whatsapp_check_on(self):
        """Refuse to send from a number of which nothing leaves.

        :raise UserError: with the reason and the way out
        """
        for gateway in self:
            if why := gateway._whatsapp_why_off():
                raise UserError(why)

    def _whatsapp_client(self):
        """Ask Meta nothing from a copy that nobody connected.

        :raise CloudApiError: it is one
        """
        if self._whatsapp_is_cut_off():
            raise CloudApiError("auth", details="a neutralized copy", reason="copy")
        return super()._whatsapp_client()

    def action_whatsapp_resume(self):
        """Send again: somebody says so.

        :raise UserError: it would not: archived, or a copy
        """
        self._whatsapp_check_on()
        return super().action_whatsapp_resume()

    def action_whatsapp_connect_copy(self):
        """Let this number send and receive though the database is a copy.

        :raise AccessError: only administrators may
        """
        self._whatsapp_connect_copy(True)

    def action_whatsapp_disconnect_copy(self):
        """Cut this number of a copy off again.

        :raise AccessError: only administrators may
        """
        self._whatsapp_connect_copy(False)

    def _whatsapp_connect_copy(self, connected):
        self.check_access("write")
        if not self.env.user.has_group(SECRETS):
            raise AccessError(
                self.env._("Only an administrator connects a copy of the database.")
            )
        self.whatsapp_copy_connected = connected
        self._whatsapp_resume()

    # ------------------------------------------------------------- conversations

    def _whatsapp_adopt(self, orphan):
        """Take over a conversation whose number was deleted.

        :param orphan: ``discuss.channel`` of the same person, with all rights
        """
        self.ensure_one()
        orphan.write({"gateway_id": self.id})
        orphan._message_log(
            body=self.env._("The conversation goes on with the number %s.", self.name)
        )
