# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from werkzeug.exceptions import abort

from odoo import models
from odoo.http import Response, request

from ..body import TooLong, bound_body
from ..tools import payloads


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """Bound the body of a webhook before anything reads it, as a form or not.

        Of a body that is sent in chunks Odoo knows no length, and takes all of it.
        """
        most = rule.endpoint.routing.get("whatsapp_body_limit")
        if most:
            try:
                bound_body(request.httprequest, most)
            except TooLong:
                abort(Response("too large", status=413, mimetype="text/plain"))
        return super()._pre_dispatch(rule, args)

    def session_info(self):
        """Tell the web client what WhatsApp takes, so that it is said while writing."""
        info = super().session_info()
        if self.env.user._is_internal():
            info["whatsapp_limits"] = payloads.composer_limits()
            if self.env.user._whatsapp_works():
                dialogs = self.env["whatsapp.send.document"]
                info["whatsapp_documents"] = dialogs._document_models()
        return info
