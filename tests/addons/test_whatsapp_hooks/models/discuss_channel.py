# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class DiscussChannel(models.Model):
    _inherit = "discuss.channel"

    def _whatsapp_message_received(self, inbound):
        res = super()._whatsapp_message_received(inbound)
        self.description = f"received {inbound.rendered.text}"
        return res

    def _whatsapp_message_shown(self, inbound, message):
        res = super()._whatsapp_message_shown(inbound, message)
        message.subject = f"shown {inbound.wamid}"
        return res

    def _whatsapp_message_sent(self, message, by_phone=False):
        res = super()._whatsapp_message_sent(message, by_phone)
        message.subject = "sent by phone" if by_phone else "sent"
        return res

    def _whatsapp_group_message(self, text, date, author):
        res = super()._whatsapp_group_message(text, date, author)
        self.description = f"{author} in a group: {text}"
        return res

    def _whatsapp_why_off(self):
        if self.name == "Off":
            return "This conversation may not send."
        return super()._whatsapp_why_off()

    def _whatsapp_responsible(self):
        return self.env["res.users"].search([("login", "=", "responsible")])

    def _whatsapp_document(self, model):
        if model == "res.country":
            return self.env.ref("base.mx")
        return super()._whatsapp_document(model)

    def _whatsapp_known_values(self):
        return {**super()._whatsapp_known_values(), "city": "Oaxaca"}

    def _whatsapp_customer_lang(self):
        return "es_MX"

    def _whatsapp_rename(self, name):
        res = super()._whatsapp_rename(name)
        self.description = f"renamed {name}"
        return res

    def _whatsapp_phone_came(self, phone, given=False):
        res = super()._whatsapp_phone_came(phone, given)
        self.description = f"phone {phone}"
        return res

    def _whatsapp_number_changed(self, before, phone):
        res = super()._whatsapp_number_changed(before, phone)
        self.description = f"{before} is {phone}"
        return res

    def _whatsapp_prepare_merge(self, merged):
        return {**super()._whatsapp_prepare_merge(merged), "was": merged.name}

    def _whatsapp_finish_merge(self, known):
        res = super()._whatsapp_finish_merge(known)
        self.description = f"merged with {known['was']}"
        return res
