# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.tests import payloads
from odoo.addons.mail_gateway_whatsapp_queue.tools import webhook

from .common import WhatsappCase

EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
# what is shown elsewhere than in a message of its own
ELSEWHERE = {"reaction", "system"}


class TestPayloads(WhatsappCase):
    """Every kind that Meta delivers, over HTTP, with and without phone numbers."""

    def set_scene(self):
        super().set_scene()
        person = {"from": "34699999999", "name": "Somebody else"}
        self.others = self.receive(
            self.message(content="Hi", person=person), person=person
        ).lead_id

    def deliver(self, delivery):
        """Deliver and work; return the atoms, and the events that they became."""
        atoms = webhook.split(delivery)
        for number in {atom.phone_number_id for atom in atoms} - {None}:
            self.gateway.whatsapp_from_phone = number
        self.meta.answers = [(404, {"error": {"code": 100}})] * 5  # no file is there
        self.assertEqual(self.post(delivery).status_code, 200)
        with mute_logger(EVENTS):
            self.drain()
        events = self.events()
        return atoms, {event.key: event for event in events}

    def check(self, name, delivery):
        atoms, events = self.deliver(delivery)
        for atom in atoms:
            event = events[atom.key]
            if atom.kind in ("message", "echo"):
                self.assertEqual(event.state, "done", (name, event.error))
                self.check_words(name, atom)
            elif atom.kind == "status":
                # of a message that this database never sent
                self.assertEqual(event.state, "pending", (name, event.error))
                self.assertIn("NotYet", event.error)
            else:
                self.assertIn(event.state, ("done", "ignored"), (name, event.error))
        if any(atom.customer_speaks for atom in atoms):
            self.assertTrue(self.leads() - self.others, name)
        else:
            self.assertEqual(self.leads(), self.others, name)

    def check_words(self, name, atom):
        if atom.type in ELSEWHERE:
            return
        shown = self.env["mail.message"].search(
            [("whatsapp_message_id", "=", atom.content["id"])]
        )
        self.assertEqual(len(shown), 1, name)
        self.assertTrue(self.texts(self.env["discuss.channel"].browse(shown.res_id)))

    def each(self, deliveries):
        for name, delivery in deliveries.items():
            with self.subTest(name=name), self.undone():
                self.check(name, delivery)

    def test_every_kind_is_applied_and_read(self):
        self.each({name: payloads.load(name) for name in payloads.names()})

    def test_the_same_with_the_phone_withheld(self):
        found = {name: payloads.load(name) for name in payloads.names()}
        others = {
            name: payloads.without_phones(delivery) for name, delivery in found.items()
        }
        # what names no phone is in the other test
        self.each({name: each for name, each in others.items() if each != found[name]})
