# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import api, models

from ..tools import checks
from .whatsapp_message_queue_alert import PAUSED

WORSE = "mail_gateway_whatsapp_queue.mail_activity_type_setup"

ALERTS = "whatsapp.gateway.check.alert"


class WhatsappGatewayCheckAlert(models.AbstractModel):
    """Who is notified when a check got worse, and when all is well again."""

    _name = ALERTS
    _description = "WhatsApp set-up checks: alert"

    @api.model
    def _notify(self, gateway, worse):
        """Notify that something got worse, or that all is as before again.

        :param bool worse: whether there is something new to be told
        """
        alerted = gateway.sudo().whatsapp_check_ids.filtered("alerted_from")
        activities = self._activities(gateway)
        if not alerted:
            for activity in activities:
                words = self.with_context(lang=activity.user_id.lang).env
                activity.action_feedback(feedback=words._("It is fixed."))
            return
        users = gateway._whatsapp_alerted() if worse else activities.user_id
        for user in users:
            known = self._known_causes(gateway, user)
            rows = alerted.filtered(lambda row, known=known: row.kind not in known)
            mine = activities.filtered(lambda one, user=user: one.user_id == user)
            if not rows and not mine:
                continue  # the alert that nothing is sent tells of it
            spoken = (rows or alerted).with_context(lang=user.lang, tz=user.tz)
            note = Markup("<ul>%s</ul>") % Markup().join(
                Markup("<li>%s</li>") % row._sentence() for row in spoken
            )
            if gateway.whatsapp_pause_reason:
                note += Markup("<p>%s</p>") % spoken.env._("Sending is paused.")
            summary = spoken.env._("%s: something got worse", gateway.name)
            if mine:
                if mine.note != note:
                    mine.write({"note": note, "summary": summary})
            elif gateway._whatsapp_may_be_notified(user):
                gateway.sudo().activity_schedule(
                    WORSE, summary=summary, note=note, user_id=user.id
                )

    def _sentence(self):
        """Return one line: which check, and what is the matter with it."""
        kind = self._kind_label(self.kind)
        return f"{kind}: {' '.join(filter(None, [self.found, self.advice]))}"

    @api.model
    def _activities(self, gateway):
        """Return the open activities about the set-up of a number."""
        # sudo: mail.activity - those of others
        return (
            self.env["mail.activity"]
            .sudo()
            .search(
                [
                    ("res_model", "=", gateway._name),
                    ("res_id", "=", gateway.id),
                    ("activity_type_id", "=", self.env.ref(WORSE).id),
                ]
            )
        )

    @api.model
    def _known_causes(self, gateway, user):
        """Return the checks of whose failure a person was told when sending stopped.

        :param user: ``res.users``
        """
        queue = self.env["whatsapp.message.queue"].sudo()
        row = queue.new({"gateway_id": gateway.id})
        alerts = row._open_alerts(PAUSED, user)
        codes = queue.browse(alerts.mapped("res_id")).error_id.mapped("code")
        return {checks.cause_of(code, self._checks()) for code in codes}

    @api.model
    def _notified_of(self, gateway, code):
        """Return who was notified by a check of why nothing is sent.

        :param str code: of the entry of the error catalogue
        """
        kind = checks.cause_of(code, self._checks())
        rows = gateway.sudo().whatsapp_check_ids
        if not rows.filtered(lambda row: row.alerted_from and row.kind == kind):
            return self.env["res.users"]
        self._notify(gateway, False)  # that it is paused now, too
        return self._activities(gateway).user_id

    @api.model
    def _note_sending(self, gateway):
        """Meta takes messages: what hinders that is fixed, whatever a check found."""
        kinds = {kind for kind, check in self._checks().items() if check.errors}
        # sudo: whatsapp.gateway.check - nobody writes results by hand
        rows = gateway.sudo().whatsapp_check_ids.filtered(
            lambda row: row.kind in kinds and row.state == "bad"
        )
        rows._note_works()
        rows._forget()
        self._notify(gateway, False)
