# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools.sql import column_exists

from .. import compat
from ..queue.locks import automation_run
from .whatsapp_exists import EXISTS
from .whatsapp_phones import PHONES


class ResPartner(models.Model):
    """Whether a contact is taken for the person who has its number.

    A number that a customer typed, in the portal or the web shop, proves nothing: it
    may be a stranger's, whose messages would then be shown as the contact's.
    """

    _name = "res.partner"
    _inherit = ["res.partner", PHONES, EXISTS]

    whatsapp_unconfirmed = fields.Boolean(
        string="Number typed by the customer",
        readonly=True,
        copy=False,
        help="The number was typed in the portal or on the website, so a WhatsApp"
        " message from it is not taken for one of this contact. Typing the number"
        " anew, or choosing the contact as the customer of the WhatsApp lead,"
        " confirms it.",
    )

    def _auto_init(self):
        """Mark, once, the contacts that portal and website have written so far."""
        is_new = not column_exists(self.env.cr, self._table, "whatsapp_unconfirmed")
        res = super()._auto_init()
        if is_new:
            mark_unconfirmed(self.env.cr)
        return res

    @api.model_create_multi
    def create(self, vals_list):
        """Keep whether somebody outside typed the number."""
        for vals in vals_list:
            if any(vals.get(name) for name in self._whatsapp_number_fields()):
                vals.update(self._whatsapp_typed_values(vals))
        return super().create(vals_list)

    def write(self, vals):
        """Keep whether somebody outside typed the number, or somebody of ours since."""
        typed = self._whatsapp_typed_values(vals)
        if not typed:
            return super().write(vals)
        partners = self
        if typed["whatsapp_unconfirmed"] or self.env.context.get("import_file"):
            # what a form or a file repeats says nothing new
            partners = self.filtered(lambda partner: partner._whatsapp_changes(vals))
        if others := self - partners:
            super(ResPartner, others).write(vals)
        return super(ResPartner, partners).write({**vals, **typed})

    def _whatsapp_typed_values(self, vals):
        """Return what the writing of a number says about it.

        :param dict vals: of ``create`` or ``write``
        :return: dict to be written, too; empty if it says nothing
        """
        if not self.env.user._is_internal():
            # a number without country code is another one in another country
            named = any(name in vals for name in self._whatsapp_number_triggers())
            return {"whatsapp_unconfirmed": True} if named else {}
        named = any(name in vals for name in self._whatsapp_number_fields())
        nobody = self.env.uid == SUPERUSER_ID or automation_run(self.env.cr)
        # contacts that are merged bring what is known of their numbers along
        if not named or nobody or "whatsapp_unconfirmed" in vals:
            return {}
        return {"whatsapp_unconfirmed": False}

    def _whatsapp_changes(self, vals):
        """Tell whether these values change a number of this contact."""
        return any(
            self._fields[name].convert_to_write(self[name], self)
            != (vals[name] or False)
            for name in self._whatsapp_number_triggers()
            if name in vals
        )

    # ------------------------------------------------------------- mentions

    @api.model
    def get_mention_suggestions_from_channel(self, channel_id, search, limit=8):
        """Offer the colleagues who can work in a conversation of WhatsApp.

        Odoo offers who takes part already.
        """
        channel = self.env["discuss.channel"].search([("id", "=", channel_id)])
        if not channel or not channel._is_whatsapp():
            return super().get_mention_suggestions_from_channel(
                channel_id, search, limit
            )
        # sudo: res.users - ids of colleagues
        partners = channel._whatsapp_colleagues().sudo().partner_id
        partners -= self.env.user.partner_id
        found = self.search(
            [
                ("id", "in", partners.ids),
                "|",
                ("name", "ilike", search),
                ("email", "ilike", search),
            ],
            limit=limit,
        )
        return compat.mention_suggestions(
            found, channel, {"whatsapp_mentionable": partners.ids}
        )

    # ------------------------------------------------------------- identity

    def _whatsapp_users(self):
        """Return all users of these contacts, also those that are archived."""
        # sudo: res.users - whoever asks
        return self.sudo().with_context(active_test=False).user_ids

    def _whatsapp_e164(self):
        """Return the numbers of this contact in E.164."""
        return (self.whatsapp_phones or "").split()

    def _whatsapp_outside(self):
        """Return those of these contacts that do not belong to a company of ours."""
        # sudo: res.company, res.users - who we are, whoever asks
        companies = self.commercial_partner_id.ids
        ours = self.env["res.company"].sudo().search([("partner_id", "in", companies)])
        return self.filtered(
            lambda partner: (
                partner.commercial_partner_id not in ours.partner_id
                and not any(
                    user.active and user._is_internal()
                    for user in partner._whatsapp_users()
                )
            )
        )

    def _whatsapp_of_company(self, company):
        """Return those of these contacts that a company uses, people before companies.

        :param company: ``res.company``
        """
        return self.filtered(
            lambda partner: (
                partner.active and partner.company_id in (company, company.browse())
            )
        ).sorted(lambda partner: (partner.is_company, partner.id))

    def _whatsapp_by_number(self):
        """Return those of these contacts that are taken for who has their number.

        Nobody outside has ever had the number in their hands: no user of the portal
        or the website belongs to them, and none typed it.
        """
        return self.filtered(
            lambda partner: (
                not partner.whatsapp_unconfirmed
                and not any(partner._whatsapp_users().mapped("share"))
            )
        )


def mark_unconfirmed(cr):
    """Distrust what was written, or linked by number alone, before we kept who did.

    :param cr: cursor
    """
    cr.execute(
        """
        UPDATE res_partner partner
           SET whatsapp_unconfirmed = TRUE
          FROM res_users person
         WHERE person.id IN (partner.create_uid, partner.write_uid)
           AND person.share
        """
    )
    # OCA links whichever contact has the number, in the name of the webhook user
    cr.execute(
        """
        DELETE FROM res_partner_gateway_channel link
         USING mail_gateway gateway, res_partner partner
         WHERE gateway.id = link.gateway_id
           AND gateway.gateway_type = 'whatsapp'
           AND link.create_uid IN (%s, gateway.webhook_user_id)
           AND partner.id = link.partner_id
           AND (partner.whatsapp_unconfirmed
                OR EXISTS (SELECT FROM res_users person
                            WHERE person.partner_id = partner.id AND person.share))
        """,
        (SUPERUSER_ID,),
    )
