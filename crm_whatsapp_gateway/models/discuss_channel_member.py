# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import SUPERUSER_ID, api, models


class DiscussChannelMember(models.Model):
    """Who takes part in a WhatsApp conversation: colleagues and the customer.

    Never a user of the portal or the website, who would read what the customer
    writes; and nobody only because the conversation was created in their name.
    """

    # a file of its own: together they would be hard to read
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "discuss.channel.member"

    def init(self):
        """Remove who came into WhatsApp conversations before this rule was here."""
        self.env.cr.execute(
            """
            DELETE FROM discuss_channel_member member
             USING discuss_channel channel, mail_gateway gateway
             WHERE channel.id = member.channel_id
               AND channel.channel_type = 'gateway'
               AND gateway.id = channel.gateway_id
               AND gateway.gateway_type = 'whatsapp'
               AND EXISTS (SELECT FROM res_users person
                            WHERE person.partner_id = member.partner_id)
               AND NOT EXISTS (SELECT FROM res_users colleague
                                WHERE colleague.partner_id = member.partner_id
                                  AND colleague.active
                                  AND NOT colleague.share
                                  AND colleague.id != %s)
            """,
            (SUPERUSER_ID,),
        )
        return super().init()

    @api.model_create_multi
    def create(self, vals_list):
        """Leave out who may not take part in a WhatsApp conversation."""
        return super().create(
            [vals for vals in vals_list if self._whatsapp_may_take_part(vals)]
        )

    def _whatsapp_may_take_part(self, vals):
        """Tell whether somebody may become a member.

        :param dict vals: of the new member
        """
        channel = self.env["discuss.channel"].browse(vals.get("channel_id"))
        # sudo: discuss.channel, mail.guest, res.partner - whoever adds them
        channel = channel.sudo()
        if not channel._is_whatsapp():
            return True
        if not vals.get("partner_id"):  # the customer, no visitor with a link
            guest = channel.env["mail.guest"].browse(vals.get("guest_id"))
            return guest.gateway_id == channel.gateway_id
        partner = self.env["res.partner"].sudo().browse(vals["partner_id"])
        # Odoo makes whoever creates a channel its member
        created = (
            self.env.context.get("mail_create_bypass_create_check")
            is self._bypass_create_check
        )
        if created and partner == self.env.user.partner_id:
            return False
        if not partner.partner_share:
            data = self.env["ir.model.data"]
            return partner.id != data._xmlid_to_res_id("base.partner_root")
        return not partner._whatsapp_users()
