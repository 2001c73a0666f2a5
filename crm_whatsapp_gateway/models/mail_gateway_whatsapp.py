# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from odoo.addons.mail_gateway_whatsapp_queue.tools import identity as wa_identity
from odoo.addons.mail_gateway_whatsapp_queue.tools import message as wa_message
from odoo.addons.mail_gateway_whatsapp_queue.tools import webhook
from odoo.addons.mail_gateway_whatsapp_queue.tools.referral import Referral


class MailGatewayWhatsapp(models.AbstractModel):
    _inherit = "mail.gateway.whatsapp"

    def _get_channel_vals(self, gateway, token, update):
        """Leave the gateway's members out: the assigned salesperson comes in."""
        values = super()._get_channel_vals(gateway, token, update)
        colleagues = set(gateway.member_ids.partner_id.ids)
        values["channel_member_ids"] = [
            command
            for command in values["channel_member_ids"]
            if command[2].get("partner_id") not in colleagues
        ]
        return values

    def _get_group_vals(self, gateway, atom, name):
        """Say why a group has no lead."""
        values = super()._get_group_vals(gateway, atom, name)
        values["whatsapp_no_lead_reason"] = self.env._("A group is no customer.")
        return values

    def _look_up_together(self, atoms):
        """Look up, too, who of the salespeople is away."""
        res = super()._look_up_together(atoms)
        # sudo: discuss.channel, hr.employee - the webhook user may be anybody
        channels = self.env["discuss.channel"].sudo()._whatsapp_found()
        leads = channels.lead_id.filtered("user_id")
        self.env["hr.employee"].sudo()._whatsapp_absences(
            {(lead.user_id.id, lead._whatsapp_company().id) for lead in leads}
        )
        return res

    def _wanted_together(self, atoms):
        """Look up the leads of these people, and what refuses one."""
        wanted = super()._wanted_together(atoms)
        phones = wanted["res.partner"]
        regions = map(wa_identity.region, phones["whatsapp_phones"])
        return {
            **wanted,
            "crm.lead": phones,
            "hr.employee": phones,
            "phone.blacklist": {"number": phones["whatsapp_phones"]},
            "res.country": {"code": list(dict.fromkeys(regions))},
        }

    # ------------------------------------------------------------- lead, later

    def _postpone_rest(self, gateway, event, error):
        """Show a message without waiting for its lead, which an event makes later.

        :param gateway: the number that received the message
        :param event: ``whatsapp.webhook.event`` of the message
        :param error: why the lead could not be made with it
        :return: True: what can be shown is shown now
        """
        for atom in webhook.split(event.payload or {}):
            if not (atom.customer_speaks and atom.identity):
                continue
            message, value = webhook.message_and_value(atom, self._received())
            chat = self._get_channel(
                gateway, message["from"], value, force_create=True
            ).sudo()  # the webhook user may be anybody
            messages = self.env["mail.message"].sudo()
            if messages._whatsapp_of(chat, message["id"]):
                continue  # shown before
            if not self._read_message(chat, message, value).speaks:
                continue
            if chat._whatsapp_lead_waits():
                continue  # for an earlier message, whose lead this is, too
            chat.whatsapp_no_lead_reason = self.env._(
                "The lead could not be made yet (%s). Odoo tries again.",
                type(error).__name__,
            )
            chat._whatsapp_add_members(gateway.member_ids)
            event.sudo().create(
                {
                    "gateway_id": gateway.id,
                    "company_id": event.company_id.id,
                    "key": f"lead:{chat.id}:{event.id}",
                    "kind": "lead",
                    "type": event.type,
                    "person": event.person,
                    "payload": {
                        "channel_id": chat.id,
                        "message": message,
                        "before": fields.Datetime.to_string(
                            chat._whatsapp_conversations().last_date
                        ),
                        "in_standby": atom.field == webhook.STANDBY,
                    },
                    "occurred_at": event.occurred_at,
                }
            )
        return True

    def _receive_lead(self, gateway, event):
        """Make the lead of a message that is shown already, once.

        :param event: ``whatsapp.webhook.event`` with channel_id, message, before and
            in_standby, as written above
        """
        job = event.payload
        # sudo: discuss.channel - the webhook user may be anybody
        chat = self.env["discuss.channel"].sudo().browse(job["channel_id"]).exists()
        if not chat:
            return
        inbound = wa_message.read(job["message"], {}, self._translate)
        chat.whatsapp_no_lead_reason = False  # nor does a message wait for it any more
        keyword = chat._opt_keyword(inbound.said)
        if keyword and not chat.lead_id._whatsapp_is_open():
            return
        chat._link_or_create_lead(
            inbound.rendered.text, Referral.of_message(inbound.content)
        )
        if inbound.sent and not keyword and not job.get("in_standby"):
            before = fields.Datetime.to_datetime(job["before"])
            chat._whatsapp_conversations()._greet(inbound.sent, before)
