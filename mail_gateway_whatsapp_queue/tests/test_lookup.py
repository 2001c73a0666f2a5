# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What background work has looked up keeps in step with what it writes."""

from ..models import whatsapp_webhook_event
from ..queue.locks import in_transaction
from .common import ANA, GatewayCase

BOB = {"from": "5215587654321", "bsuid": "MX.2222", "name": "Bob"}


class TestLookup(GatewayCase):
    def found(self, env, token):
        """Return the guest of a token, which costs nothing when it is known."""
        return env["mail.guest"]._whatsapp_find_by(gateway_token=[token])

    def test_what_is_known_follows_what_is_written(self):
        def work(env):
            guests = env["mail.guest"]
            for token in ("one", "two"):
                self.assertFalse(self.found(env, token))
            before = env.cr.sql_log_count
            self.assertFalse(self.found(env, "one"))
            self.assertEqual(env.cr.sql_log_count, before)
            guest = guests.create({"name": "G", "gateway_token": "one"})
            self.assertEqual(self.found(env, "one"), guest)
            guest.gateway_token = "two"
            self.assertFalse(self.found(env, "one"))
            self.assertEqual(self.found(env, "two"), guest)
            guest.unlink()
            self.assertFalse(self.found(env, "two"))

        in_transaction(self.registry, work)

    def test_what_is_undone_is_not_known(self):
        def work(env):
            self.assertFalse(self.found(env, "one"))
            with self.assertRaises(ZeroDivisionError), env.cr.savepoint():
                env["mail.guest"].create({"name": "G", "gateway_token": "one"})
                self.assertTrue(self.found(env, "one"))
                raise ZeroDivisionError
            self.assertFalse(self.found(env, "one"))

        in_transaction(self.registry, work)

    def test_a_number_leads_to_who_has_it_now(self):
        def work(env):
            partners = env["res.partner"]
            old, new = ["+525512345678", "+5215512345678"], ["+34612345678"]
            self.assertEqual(partners._whatsapp_ids_with(old + new), [])
            partner = partners.create({"name": "P", "phone": "+52 55 1234 5678"})
            self.assertEqual(partners._whatsapp_ids_with(old), partner.ids)
            partner.phone = "+34 612 34 56 78"
            self.assertEqual(partners._whatsapp_ids_with(old), [])
            self.assertEqual(partners._whatsapp_ids_with(new), partner.ids)

        in_transaction(self.registry, work)

    def test_elsewhere_nothing_is_kept(self):
        self.assertFalse(self.found(self.env, "one"))
        guest = self.env["mail.guest"].create({"name": "G", "gateway_token": "one"})
        self.assertEqual(self.found(self.env, "one"), guest)
        self.assertEqual(self.env["mail.guest"]._whatsapp_known(), {})

    def test_strangers_begin_together_and_each_has_the_own_message(self):
        for person in (ANA, BOB):
            message = self.message(content=person["name"], person=person)
            self.post(self.delivery(message, person=person))
        # what is begun is applied, however little time there is
        self.patch(whatsapp_webhook_event, "SHARE", -1)
        self.drain()
        for person in (ANA, BOB):
            channel = self.env["discuss.channel"].search(
                [("gateway_channel_token", "=", person["from"])]
            )
            self.assertEqual(self.texts(channel), [person["name"]])
            self.assertEqual(channel.whatsapp_bsuid, person["bsuid"])
        self.assertEqual(set(self.events().mapped("state")), {"done"})
