# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import secrets

from odoo import api, fields, http, models
from odoo.tools import consteq
from odoo.tools.misc import hmac

from ..tools import probe
from ..tools.setup import host_of

PROBE_SECONDS = 8
QUESTION_SECONDS = 60  # for which our own question may be answered

PROBE = "whatsapp.gateway.check.probe"


class WhatsappGatewayCheckProbe(models.AbstractModel):
    """Odoo calls its own webhook with a question that only this database answers."""

    _name = PROBE
    _description = "WhatsApp set-up checks: probe"

    @api.model
    def _check_reachable(self, context):
        gateway = context.gateway
        key = gateway._whatsapp_secrets().webhook_key
        question = self._probe_question(key)
        answer = self._probe_webhook(gateway, question)
        host = host_of(gateway._whatsapp_webhook_url())
        return probe.check_probe(
            answer,
            self._probe_proof(answer.text, key, question),
            open_here=bool(gateway.integrated_webhook_state),
            databases=len(http.db_list(force=True, host=host)),
            seconds=PROBE_SECONDS,
        )

    @api.model
    def _probe_webhook(self, gateway, question):
        url = gateway._whatsapp_webhook_url()
        return probe.probe_webhook(url, question, PROBE_SECONDS)

    @api.model
    def _probe_question(self, key):
        """Return a question that nobody else can ask: time, chance and signature."""
        now = int(fields.Datetime.now().timestamp())
        question = f"{now}.{secrets.token_hex(16)}"
        return f"{question}.{self._probe_sign('question', key, question)}"

    @api.model
    def _is_probe_question(self, key, question):
        """Tell whether this database asked it, just now and of this address."""
        text, _dot, signature = question.rpartition(".")
        expected = self._probe_sign("question", key, text)
        if not consteq(signature.encode(), expected.encode()):
            return False
        asked = int(text.partition(".")[0])
        return abs(fields.Datetime.now().timestamp() - asked) <= QUESTION_SECONDS

    @api.model
    def _probe_answer(self, key, question, is_open):
        """Return what proves who answers.

        :param bool is_open: whether the webhook takes deliveries at this address
        """
        said = f"{'open' if is_open else 'closed'} {self._probe_place()}"
        return f"{said} {self._probe_sign('answer', key, question, said)}"

    @api.model
    def _probe_proof(self, answer, key, question):
        """Return what an answer proves, see ``tools.probe.Proof``, or None."""
        said, _space, signature = answer.rpartition(" ")
        expected = self._probe_sign("answer", key, question, said)
        if not consteq(signature.encode(), expected.encode()):
            return None
        state, _space, place = said.partition(" ")
        return probe.Proof(place == self._probe_place(), state == "open")

    @api.model
    def _probe_sign(self, *parts):
        # sudo: ir.config_parameter - the secret of the database; nobody sees it
        return hmac(self.env(su=True), "whatsapp_gateway_check.probe", parts)

    @api.model
    def _probe_place(self):
        """Return what no other database shares: neither a copy nor its server."""
        self.env.cr.execute(
            "SELECT oid::text, pg_postmaster_start_time()::text"
            "  FROM pg_database WHERE datname = current_database()"
        )
        server = self.env.cr.fetchone()
        # sudo: ir.config_parameter - the database's id; only its hash is told
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return self._probe_sign("place", uuid, *server)[:16]
