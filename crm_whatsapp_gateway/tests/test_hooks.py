# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from ..hooks import _adopt, _merge_duplicate_conversations, post_init_hook
from .common import WhatsappCase


class TestHooks(WhatsappCase):
    def test_duplicated_conversations_become_one_and_lose_no_message(self):
        self.env.cr.execute("DROP INDEX discuss_channel_whatsapp_person_uniq")
        channels = self.env["discuss.channel"].create(
            [
                {
                    "name": f"Ana {number}",
                    "channel_type": "gateway",
                    "gateway_id": self.gateway.id,
                    "gateway_channel_token": "5215512345678",
                }
                for number in range(3)
            ]
        )
        for channel in channels:
            channel.with_context(no_gateway_notification=True).message_post(
                body=channel.name, message_type="comment"
            )
        self.env.flush_all()
        _merge_duplicate_conversations(self.env.cr)
        self.env.invalidate_all()
        survivor = channels.exists()
        self.assertEqual(survivor, channels[0])
        self.assertEqual(self.texts(survivor), ["Ana 0", "Ana 1", "Ana 2"])
        channels.init()  # the index can be made now

    def test_conversations_of_before_can_be_found_and_answered(self):
        channel = self.receive(self.message(content="Hi"))
        self.answer(channel, "Hello")
        when = channel.whatsapp_last_customer_date
        names = ("whatsapp_phone", "whatsapp_last_date", "whatsapp_last_customer_date")
        channel.write(dict.fromkeys(names))
        self.env.flush_all()
        post_init_hook(self.env)
        self.assertEqual(channel.whatsapp_phone, "+525512345678")
        self.assertEqual(channel.whatsapp_last_customer_date, when)
        self.assertGreaterEqual(channel.whatsapp_last_date, when)
        self.assertTrue(channel.whatsapp_window_open)

    def test_an_existing_source_is_adopted(self):
        source = self.env["utm.source"].create({"name": "whatsapp"})
        self.env.ref("crm_whatsapp_gateway.utm_source_whatsapp").unlink()
        self.env["utm.source"].search(
            [("name", "=ilike", "whatsapp"), ("id", "!=", source.id)]
        ).unlink()
        _adopt(self.env, "utm.source", "utm_source_whatsapp", "WhatsApp")
        self.assertEqual(
            self.env.ref("crm_whatsapp_gateway.utm_source_whatsapp"), source
        )
