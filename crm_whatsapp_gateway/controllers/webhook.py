# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import hmac
import logging

from odoo.http import request, route

from odoo.addons.mail_gateway.controllers.gateway import GatewayController

from .. import worker
from ..tools import setup, webhook

_logger = logging.getLogger(__name__)


class WhatsappWebhook(GatewayController):
    """Meta's door: check, store, answer. The work is done afterwards."""

    @route(save_session=False)
    def post_update(self, usage, token, *args, **kwargs):
        """Serve WhatsApp; leave every other gateway to OCA."""
        if usage != "whatsapp":
            return super().post_update(usage, token, *args, **kwargs)
        gateways = request.env["mail.gateway"]
        known = gateways._whatsapp_webhook(token)
        args = request.httprequest.args
        if not known:
            if args.get("hub.mode") != setup.KNOCK:
                _logger.warning("WhatsApp webhook: no gateway has this address")
            return self._whatsapp_answer(setup.UNKNOWN_ADDRESS, 403)
        if request.httprequest.method == "GET":
            return self._whatsapp_verify(known, args)
        return self._whatsapp_receive(known)

    def _whatsapp_verify(self, known, args):
        """Answer Meta's challenge, as often as it asks."""
        expected, given = known["verify_token"] or "", args.get("hub.verify_token", "")
        if (
            not expected
            or args.get("hub.mode") != "subscribe"
            or not hmac.compare_digest(expected.encode(), given.encode())
        ):
            if args.get("hub.mode") != setup.KNOCK:
                _logger.warning(
                    "WhatsApp webhook: verify token refused, gateway %s", known["id"]
                )
            return self._whatsapp_answer(setup.WRONG_TOKEN, 403)
        gateway = request.env["mail.gateway"].sudo().browse(known["id"])
        if gateway.integrated_webhook_state != "integrated":
            gateway.integrated_webhook_state = "integrated"
        return self._whatsapp_answer(args.get("hub.challenge", ""))

    def _whatsapp_receive(self, known):
        """Store a signed delivery; 200 means that it is in the database."""
        if (request.httprequest.content_length or 0) > webhook.MAX_BYTES:
            return self._whatsapp_answer("too large", 413)
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
            return self._whatsapp_answer("refused", 403)
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
