# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import hmac
import json
import logging
import secrets

from odoo.http import request, route

from odoo.addons.mail_gateway.controllers.gateway import GatewayController

from ..queue import worker
from ..tools import masking, probe, webhook

_logger = logging.getLogger(__name__)
# The key in the address opens nothing without the app secret, but is no public thing.
logging.getLogger("werkzeug").addFilter(
    masking.WithoutSecrets(masking.without_webhook_keys)
)

# What an address that nobody has is compared with, so that refusing costs the same
NOBODY = {
    "id": 0,
    "secret": secrets.token_hex(),
    "verify_token": secrets.token_hex(),
    "gateways": {},
}


class WhatsappWebhook(GatewayController):
    """Meta's door: check, store, answer. The work is done afterwards."""

    @route(save_session=False, whatsapp_body_limit=webhook.MAX_BYTES)
    def post_update(self, usage, token, *args, **kwargs):
        """Serve WhatsApp; leave every other gateway that exists to OCA."""
        gateways = request.env["mail.gateway"]
        if usage != "whatsapp":
            if not gateways._whatsapp_is_address(usage, token):
                # as OCA answers, which would log what a stranger typed
                headers = [("Content-Type", "application/json")]
                return request.make_response(json.dumps({}), headers)
            return super().post_update(usage, token, *args, **kwargs)
        known = gateways._whatsapp_webhook(token)
        if request.httprequest.method == "GET":
            query = request.httprequest.args
            if query.get("hub.mode") == probe.PROBE:
                return self._whatsapp_probe(token, known, query)
            return self._whatsapp_verify(known or NOBODY, query)
        return self._whatsapp_receive(known or NOBODY)

    def _whatsapp_verify(self, known, args):
        """Answer Meta's challenge, as often as it asks."""
        expected, given = known["verify_token"] or "", args.get("hub.verify_token", "")
        proven = hmac.compare_digest(expected.encode(), given.encode())
        if not (expected and proven) or args.get("hub.mode") != "subscribe":
            _logger.warning(
                "WhatsApp webhook: verification refused, gateway %s", known["id"]
            )
            return self._whatsapp_answer(probe.REFUSED, 403)
        gateway = request.env["mail.gateway"].sudo().browse(known["id"])
        if gateway.integrated_webhook_state != "integrated":
            gateway.integrated_webhook_state = "integrated"
        return self._whatsapp_answer(args.get("hub.challenge", ""))

    def _whatsapp_probe(self, token, known, args):
        """Answer the set-up page of this database, and nobody else."""
        question = args.get("hub.verify_token", "")
        checks = request.env["whatsapp.gateway.check"]
        if not checks._is_probe_question(token, question):
            return self._whatsapp_answer(probe.REFUSED, 403)
        return self._whatsapp_answer(
            checks._probe_answer(token, question, is_open=bool(known))
        )

    def _whatsapp_receive(self, known):
        """Store a signed delivery; 200 means that it is in the database."""
        raw = request.httprequest.get_data(cache=False, parse_form_data=False)
        try:
            webhook.verify_signature(
                raw,
                request.httprequest.headers.get("X-Hub-Signature-256"),
                known["secret"],
            )
        except webhook.InvalidSignature as refusal:
            request.env["mail.gateway"]._whatsapp_count_refusal(
                known["id"], str(refusal)
            )
            _logger.warning(
                "WhatsApp webhook: refused, gateway %s: %s", known["id"], refusal
            )
            return self._whatsapp_answer(probe.REFUSED, 403)
        try:
            delivery = webhook.parse(raw)
        except webhook.TooLarge:
            return self._whatsapp_answer("too large", 413)
        except webhook.MalformedDelivery as error:
            _logger.warning(
                "WhatsApp webhook: unreadable, gateway %s: %s", known["id"], error
            )
            return self._whatsapp_answer(str(error), 400)
        rows = request.env["mail.gateway.whatsapp"]._event_rows(known, delivery)
        if rows:
            request.env["whatsapp.webhook.event"]._store(rows)
            # also for what was stored before: Meta repeats what a crash cut off
            worker.wake(request.env.cr.dbname, "inbound")
        return self._whatsapp_answer("")

    def _whatsapp_answer(self, text, status=200):
        headers = [("Content-Type", "text/plain; charset=utf-8")]
        return request.make_response(text, headers, status=status)
