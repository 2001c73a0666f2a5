# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import HTTP, SECRET, WhatsappCase

CONTROLLER = "odoo.addons.mail_gateway_whatsapp_queue.controllers.webhook"


@tagged(HTTP)
class TestWebhook(WhatsappCase, HttpCase):
    over_http = True

    def challenge(self, token="verify me", mode="subscribe"):
        return self.url_open(
            f"/gateway/whatsapp/webhook-key/update?hub.mode={mode}"
            f"&hub.challenge=4711&hub.verify_token={token}"
        )

    def test_meta_can_verify_the_address_again_and_again(self):
        self.gateway.integrated_webhook_state = "pending"
        for _time in range(3):
            response = self.challenge()
            self.assertEqual((response.status_code, response.text), (200, "4711"))
        self.gateway.invalidate_recordset()
        self.assertEqual(self.gateway.integrated_webhook_state, "integrated")

    @mute_logger(CONTROLLER)
    def test_a_wrong_verify_token_is_refused(self):
        for token, mode in (
            ("guess", "subscribe"),
            ("", "subscribe"),
            ("verify me", ""),
        ):
            self.assertEqual(self.challenge(token, mode).status_code, 403)
        self.gateway.whatsapp_security_key = False
        self.assertEqual(self.challenge("").status_code, 403)

    @mute_logger(CONTROLLER)
    def test_what_meta_did_not_sign_is_refused_and_counted(self):
        body = self.delivery(self.message(content="Hi"))
        for headers in (
            {"X-Hub-Signature-256": ""},
            {"X-Hub-Signature-256": "sha256=" + "0" * 64},
            {"X-Hub-Signature-256": "no signature"},
        ):
            self.assertEqual(self.post(body, **headers).status_code, 403)
        self.assertEqual(self.post(body, secret="wrong").status_code, 403)
        self.assertFalse(self.events())
        self.gateway.invalidate_recordset()
        self.assertTrue(self.gateway.whatsapp_refused_count)
        self.assertTrue(self.gateway.whatsapp_refused_at)

    @mute_logger(CONTROLLER)
    def test_without_an_app_secret_everything_is_refused(self):
        self.gateway.webhook_secret = False
        body = self.delivery(self.message(content="Hi"))
        self.assertEqual(self.post(body, secret="").status_code, 403)
        self.assertFalse(self.events())

    @mute_logger(CONTROLLER)
    def test_an_anonymous_get_does_not_make_the_webhook_deaf(self):
        self.registry.clear_cache()
        self.url_open("/gateway/whatsapp/webhook-key/update?hub.verify_token=guess")
        self.url_open("/gateway/whatsapp/nobody/update")
        self.receive(self.message(content="Hi"))
        self.assertEqual(self.events().mapped("state"), ["done"])
        # OCA's own lookup, which other code may use, stays right as well
        gateways = self.env["mail.gateway"]
        gateways._get_gateway_map(state="pending", gateway_type="whatsapp")
        self.assertTrue(gateways._get_gateway("webhook-key", gateway_type="whatsapp"))

    @mute_logger(CONTROLLER)
    def test_unreadable_bodies_are_answered_without_a_crash(self):
        for raw, status in (
            (b" ", 400),
            (b"{", 400),
            (b"[]", 400),
            (b"\xff\xfe", 400),
            (b'{"entry": ' * 500, 400),
            (b'{"a": "' + b"x" * 3 * 1024 * 1024 + b'"}', 413),
        ):
            self.assertEqual(self.post(raw).status_code, status, raw[:20])
        self.assertFalse(self.events())

    def test_strange_pieces_do_not_spoil_their_neighbours(self):
        body = self.delivery(None, 7, {}, self.message(content="I am here"), [])
        body["entry"] += [None, {"changes": 3}, {"changes": [{"field": "messages"}]}]
        self.assertEqual(self.post(body).status_code, 200)
        self.drain()
        self.assertEqual(set(self.events(kind="message").mapped("state")), {"done"})
        channel = self.env["discuss.channel"].search([("channel_type", "=", "gateway")])
        self.assertIn("I am here", self.texts(channel))
        self.assertEqual(set(self.events(kind="unknown").mapped("state")), {"ignored"})

    def test_a_repeated_delivery_is_stored_once(self):
        body = self.delivery(self.message(content="Hi"))
        for _time in range(3):
            self.assertEqual(self.post(body).status_code, 200)
        self.assertEqual(len(self.events()), 1)

    def test_an_unknown_number_is_kept_for_the_administrator(self):
        body = self.delivery(self.message(content="Hi"), number="999")
        for _time in range(2):
            self.assertEqual(self.post(body).status_code, 200)
        self.drain()
        event = self.events()
        self.assertEqual((len(event), event.state), (1, "ignored"))
        self.assertIn("999", event.error)
        self.assertFalse(
            self.env["crm.lead"].search([("source_id.name", "=", "WhatsApp")])
        )
        with self.assertRaisesRegex(UserError, "999"):
            event.action_process_again()
        self.gateway.whatsapp_from_phone = "999"
        event.action_process_again()
        self.drain()
        self.assertEqual((event.state, event.gateway_id), ("done", self.gateway))

    def test_numbers_of_one_app_share_token_and_webhook(self):
        other = self.gateway.copy(
            {
                "name": "Support",
                "token": self.gateway.token,
                "webhook_key": "other-key",
                "whatsapp_from_phone": "10002",
                "webhook_secret": SECRET,
            }
        )
        self.receive(self.message(content="To support"), number="10002")
        channels = self.env["discuss.channel"].search(
            [("channel_type", "=", "gateway")]
        )
        self.assertEqual(channels.gateway_id, other)

    def test_another_app_cannot_write_into_our_number(self):
        self.gateway.copy(
            {
                "name": "Stranger",
                "token": "EAAother",
                "webhook_key": "stranger-key",
                "whatsapp_from_phone": "666",
                "webhook_secret": "stranger's secret",
                "integrated_webhook_state": "integrated",
            }
        )
        body = self.delivery(self.message(content="Hi"))  # to our number
        response = self.post(body, secret="stranger's secret", key="stranger-key")
        self.assertEqual(response.status_code, 200)
        self.assertFalse(self.events().gateway_id)

    def test_one_poisoned_event_stops_nobody_else(self):
        self.assertEqual(
            self.post(self.delivery(self.message(content="Hi"))).status_code, 200
        )
        poisoned = self.events()
        status = {"id": "wamid.nobody", "status": "sent", "recipient_id": "1"}
        poisoned.payload = self.delivery(self.message(content="x"), statuses=[status])
        bob = {"from": "34612345678", "name": "Bob"}
        self.receive(self.message(content="Hello", person=bob), person=bob)
        self.assertEqual(sorted(self.events().mapped("state")), ["done", "pending"])
        self.assertEqual(poisoned.attempts, 1)
        self.assertTrue(poisoned.next_attempt_at)
        self.assertIn("wamid.nobody", poisoned.error)
        channels = self.env["discuss.channel"].search(
            [("channel_type", "=", "gateway")]
        )
        self.assertEqual(channels.mapped("name"), ["Bob"], "all or nothing")
