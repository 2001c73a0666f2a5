# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from .common import WhatsappCase

QUEUE = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue"
SPANISH = "es_MX"


class TestTranslation(WhatsappCase):
    """A company that works in Spanish, and one colleague who prefers English."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang(SPANISH)
        cls.company.partner_id.lang = SPANISH
        cls.users.lang = SPANISH
        cls.gateway.whatsapp_alert_user_ids = cls.sofia

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message("location", {"name": "Casa"}))
        self.lead = self.channel.lead_id

    def unreachable(self, user=None):
        """Let Meta refuse an answer; return its row."""
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        row = self.answer(self.channel, "Hola", user=user)
        self.send_due()
        return row

    def test_what_a_customer_sent_is_told_in_the_company_s_language(self):
        self.assertEqual(
            self.texts(self.channel), ["📍 Ubicación sin coordenadas\nCasa"]
        )

    def test_the_lead_tells_its_story_in_spanish(self):
        notes = " ".join(self.lead.message_ids.mapped(lambda m: str(m.body)))
        self.assertIn("Creado por el mensaje de WhatsApp de Ana Pérez", notes)
        self.assertEqual(
            self.lead.activity_ids.mapped("summary"),
            ["Llamar ahora: mensaje de WhatsApp"],
        )
        turn = self.env["whatsapp.assignment"].search([("lead_id", "=", self.lead.id)])
        self.assertIn("Quien lleva más tiempo sin turno", turn.reason)

    def test_an_advice_is_in_the_language_of_who_wrote(self):
        row = self.unreachable()
        self.assertEqual(
            row.error_text,
            "No se puede contactar al cliente por WhatsApp. "
            "Llámalo o escríbele un correo.",
        )
        self.assertEqual(row.notification_id.failure_reason, row.error_text)

    def test_an_english_colleague_in_a_spanish_company_reads_english(self):
        self.lead.user_id.lang = "en_US"
        self.assertIn("cannot be reached on WhatsApp", self.unreachable().error_text)

    def test_what_a_crash_left_is_explained_in_spanish(self):
        row = self.answer(self.channel, "Hola")
        row.state = "sending"
        self.send_due()
        self.assertEqual(row.state, "uncertain")
        self.assertIn("El servidor se detuvo", row.error_text)

    @mute_logger(QUEUE)
    def test_a_pause_and_its_alert_are_in_the_language_of_who_is_alerted(self):
        self.meta.answers = [(401, {"error": {"code": 190, "message": "x"}})]
        row = self.answer(self.channel, "Hola")
        self.send_due()
        self.assertIn("renovar el token", self.gateway.whatsapp_pause_reason)
        self.assertEqual(row.activity_ids.summary, "Sales: WhatsApp no envía nada")

    def test_a_refusal_is_said_in_the_user_s_language(self):
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            hours=25
        )
        channel = self.channel.with_context(lang=SPANISH)
        with self.assertRaisesRegex(UserError, "Envía una plantilla"):
            self.answer(channel, "Hola")

    def test_a_file_is_refused_in_the_user_s_language(self):
        files = self.env["ir.attachment"].with_user(self.lead.user_id)
        file = files.create({"name": "programa.exe", "raw": b"MZ"})
        file.sudo().mimetype = "application/x-msdownload"
        channel = self.channel.with_context(lang=SPANISH)
        expected = "No se puede enviar programa.exe: WhatsApp no acepta archivos"
        with self.assertRaisesRegex(UserError, expected):
            self.answer(channel, "Hola", attachment_ids=file.ids)

    @mute_logger("odoo.addons.mail_gateway_whatsapp_queue.controllers.webhook")
    def test_an_administrator_reads_in_spanish_why_deliveries_are_refused(self):
        response = self.post(self.delivery(), secret="another")
        self.assertEqual(response.status_code, 403)
        self.gateway.invalidate_recordset()
        self.assertIn("La firma no coincide", self.gateway.whatsapp_refused_reason)

    def test_a_delivery_for_a_number_that_nobody_has_is_explained(self):
        self.post(self.delivery(self.message(content="Hola"), number="99999"))
        [event] = self.events(state="ignored")
        self.assertEqual(
            event.error,
            "Ninguna pasarela tiene el identificador del número de teléfono 99999.",
        )
