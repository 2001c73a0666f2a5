# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from itertools import takewhile

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..queue.locks import lock_rows
from ..tools.cloud_api import CloudApi
from ..tools.errors import CloudApiError
from .mail_gateway_secrets import SECRETS

SENDING = "whatsapp.gateway.sending"
# seconds until a paused number is tried again, by number of tries
PROBES = (300, 900, 1800, 3600)
OUTAGE_PROBES = (20, 60, 120, 300, 600)
# Meta counts as down if, since the last message that it accepted, those of
# OUTAGE_AT_ONCE conversations failed; or if, for OUTAGE_SINCE, those of
# OUTAGE_CONVERSATIONS failed, or OUTAGE_CONNECTIONS found no connection
OUTAGE_CONVERSATIONS, OUTAGE_CONNECTIONS, OUTAGE_AT_ONCE = 3, 2, 10
OUTAGE_SINCE, OUTAGE_WITHIN = timedelta(seconds=55), timedelta(minutes=5)
LAST_ATTEMPTS = 500  # that are looked at, of all numbers


class WhatsappGatewaySending(models.AbstractModel):
    """Whether, how and how fast a number sends. A part of ``mail.gateway``."""

    _name = SENDING
    _description = "Sending from a WhatsApp number"

    # ------------------------------------------------------------- Meta's API

    def _whatsapp_cloud_api(self):
        """Return the client for this number, with the rights of the gateway."""
        self.ensure_one()
        gateway = self.sudo()  # mail.gateway - whoever is about to send
        secrets = self._whatsapp_secrets()
        return CloudApi(
            secrets.token,
            version=gateway.whatsapp_version,
            base_url=self.env["ir.config_parameter"]._whatsapp_value("graph_url"),
            proxies=self.env["mail.gateway.whatsapp"]._get_proxies(),
            secrets=secrets,
        )

    def _whatsapp_client(self):
        """Return the client for this number.

        :raise CloudApiError: what an administrator typed cannot be used, or a copy that
            nobody connected would ask Meta
        """
        if self._whatsapp_is_cut_off():
            raise CloudApiError("auth", details="a neutralized copy", reason="copy")
        try:
            return self._whatsapp_cloud_api()
        except ValueError as error:
            raise CloudApiError(
                "auth", details=str(error), reason="settings"
            ) from error

    def _whatsapp_refused(self, error):
        """Return the UserError that says what Meta answered, and what can be done.

        :param error: ``tools.errors.CloudApiError``
        """
        if error.reason == "copy":
            return UserError(self._whatsapp_why_off())
        words = self._whatsapp_without_secrets(error)
        return UserError(
            self.env._(
                "%(advice)s Meta says: %(error)s",
                advice=self.env["whatsapp.error"]._advice(error),
                error=words,
            )
        )

    def _whatsapp_number_and_rate(self):
        """Return the phone number ID, and its messages a second at most; 0: any."""
        # sudo: mail.gateway - the sender's number is for administrators
        gateway = self.sudo()
        limits = (gateway.whatsapp_rate, gateway.whatsapp_rate_allowed)
        rate = min((limit for limit in limits if limit > 0), default=0)
        return gateway.whatsapp_from_phone or "", rate

    def _whatsapp_alerted(self):
        """Return whom to tell about these numbers; at the worst the administrator."""
        # sudo: mail.gateway - salespeople need not read users
        users = self.sudo().whatsapp_alert_user_ids.filtered("active")
        return users or self.env.ref("base.user_admin").sudo()

    def _whatsapp_may_be_notified(self, user):
        """Return whether a person may read this number: an activity needs it.

        :param user: ``res.users``
        """
        companies = user.company_ids.ids
        theirs = self.with_user(user).with_context(allowed_company_ids=companies)
        return theirs.has_access("read")

    def _whatsapp_hold(self):
        """Take the row before it is written, see ``locks.lock_rows``."""
        self.flush_recordset()
        lock_rows(self)

    # ------------------------------------------------------------- pause, outage

    def _whatsapp_pause(self, error, outage=False):
        """Stop sending from this number until it works again.

        :param error: ``tools.errors.CloudApiError`` of kind auth, or of the outage
        :param bool outage: Meta is down, and nobody here can do anything
        :return: True if it was not paused before
        """
        self.ensure_one()
        self._whatsapp_hold()
        if self.whatsapp_pause_reason and (outage or not self.whatsapp_outage):
            return False  # of many on their way, or the one that was tried
        lang = self._whatsapp_alerted()[:1].lang or self._whatsapp_lang()
        catalogue = self.env["whatsapp.error"].with_context(lang=lang)
        self.write(
            {
                "whatsapp_pause_reason": catalogue._advice(error),
                "whatsapp_outage": outage,
                "whatsapp_probes": 0,
            }
        )
        self._whatsapp_probe_later()
        return True

    def _whatsapp_probe_later(self):
        """Plan when a paused number is tried, or tried again."""
        self._whatsapp_hold()
        pauses = OUTAGE_PROBES if self.whatsapp_outage else PROBES
        seconds = pauses[min(self.whatsapp_probes, len(pauses) - 1)]
        at = fields.Datetime.now() + timedelta(seconds=seconds)
        self.write(
            {"whatsapp_probe_at": at, "whatsapp_probes": self.whatsapp_probes + 1}
        )
        self.env["whatsapp.message.queue"]._whatsapp_cron()._trigger(at=at)

    def _whatsapp_probed(self, error):
        """Resume after a try, or say that the number still cannot send.

        :param error: ``tools.errors.CloudApiError``, None if Meta took the message
        """
        kind = error and error.kind
        if not self.whatsapp_outage:
            if kind in (None, "permanent"):  # Meta takes messages of this number
                self._whatsapp_resume()
        elif kind == "auth":
            self._whatsapp_pause(error)
        elif not (error and error.fault):
            self._whatsapp_resume()
        else:  # still down after a test: tell the administrators
            waiting = self.env["whatsapp.message.queue"].search(
                [("gateway_id", "=", self.id), ("state", "=", "queued")],
                order="id",
                limit=1,
            )
            waiting._alert_admin()

    def _whatsapp_judge_outage(self):
        """Pause sending if Meta fails, whatever the message is.

        One message alone may be at fault itself; so several conversations have to be
        concerned, unless there is no connection at all. Failures mixed with successes
        are no outage.

        :return: True if it is paused now, and was not before
        """
        if self.whatsapp_pause_reason:
            return False
        now = fields.Datetime.now()
        since, resumed_at = now - OUTAGE_WITHIN, self.whatsapp_resumed_at
        if resumed_at and since < resumed_at <= now:
            since = resumed_at
        self.env["whatsapp.message.attempt"].flush_model()
        self.env.cr.execute(
            """
            SELECT attempt.fault, part.channel_id, attempt.date,
                   part.attachment_checksum IS NOT NULL
              FROM (SELECT * FROM whatsapp_message_attempt
                     ORDER BY id DESC LIMIT %s) attempt
              JOIN whatsapp_message_queue part ON part.id = attempt.row_id
             WHERE part.gateway_id = %s AND attempt.date > %s
               AND attempt.delivery IS NULL
             ORDER BY attempt.id DESC
            """,
            (LAST_ATTEMPTS, self.id, since),
        )
        failed = list(takewhile(lambda row: row[0], self.env.cr.fetchall()))
        conversations = len({row[1] for row in failed})
        # an upload may fail because of its file
        connections = [row for row in failed if row[0] == "connection" and not row[3]]
        is_down = conversations >= OUTAGE_AT_ONCE or (
            failed[-1:]
            and failed[-1][2] <= now - OUTAGE_SINCE
            and (
                conversations >= OUTAGE_CONVERSATIONS
                or len(connections) >= OUTAGE_CONNECTIONS
            )
        )
        outage = CloudApiError("transient", reason="outage")
        return is_down and self._whatsapp_pause(outage, True)

    def action_whatsapp_resume(self):
        """Send again: what Meta complained about is repaired.

        :raise AccessError: only who may change the gateway says so
        :raise UserError: it would not: archived, or a copy
        """
        self.check_access("write")
        self._whatsapp_check_on()
        self._whatsapp_resume()

    def _whatsapp_resume(self):
        """Lift the pause, except of a copy that nobody connected on purpose."""
        paused = self.filtered(
            lambda gateway: (
                gateway.whatsapp_pause_reason and not gateway._whatsapp_is_cut_off()
            )
        )
        if paused:
            paused._whatsapp_hold()
            paused.write(
                {
                    "whatsapp_pause_reason": False,
                    "whatsapp_outage": False,
                    "whatsapp_probe_at": False,
                    "whatsapp_probes": 0,
                    "whatsapp_resumed_at": fields.Datetime.now(),
                }
            )
            queue = self.env["whatsapp.message.queue"]
            queue._close_alerts(paused)
            queue._whatsapp_cron()._trigger()

    # ------------------------------------------------------------- archived, copy

    def _whatsapp_why_off(self):
        """Return why nothing is sent from this number, or an empty text.

        A pause is no reason: what is written then is sent later.
        """
        self.ensure_one()
        gateway = self.sudo()  # mail.gateway - whoever is about to send
        if not gateway.active:
            return self.env._(
                "The number %s is archived: it receives and sends nothing. An"
                " administrator can unarchive it in the list of WhatsApp numbers.",
                gateway.name,
            )
        if gateway.gateway_type == "whatsapp" and gateway._whatsapp_is_cut_off():
            return self.env._(
                "This database is a copy, so nothing is sent to customers. An"
                " administrator can connect the copy on purpose on the page Set-up of"
                " the number %s.",
                gateway.name,
            )
        return ""

    def _whatsapp_check_on(self):
        """Refuse to send from a number of which nothing leaves.

        :raise UserError: with the reason and the way out
        """
        for gateway in self:
            if why := gateway._whatsapp_why_off():
                raise UserError(why)

    def _whatsapp_check_writer(self):
        """Refuse who begins no conversations from this number.

        :raise AccessError: the user has nothing to do with it
        """
        user = self.env.user
        if not (user._is_superuser() or user._whatsapp_writes_from(self)):
            # sudo: mail.gateway - the name, which the user gave by its id
            raise AccessError(
                self.env._(
                    "You do not work with the WhatsApp number %s. Please ask an"
                    " administrator to add you to its members.",
                    self.sudo().name,
                )
            )

    def _whatsapp_show_off(self):
        """Tell the chats that are open whether something can be sent."""
        # sudo: discuss.channel - those that the administrator does not read, too
        channels = (
            self.env["discuss.channel"]
            .sudo()
            .search(
                [("gateway_id", "in", self.ids)],
                order="whatsapp_last_customer_date desc",
                limit=500,
            )
        )
        channels._whatsapp_refresh_chats()

    @api.model
    def _whatsapp_is_copy(self):
        # sudo: ir.config_parameter - what kind of database this is
        parameters = self.env["ir.config_parameter"].sudo()
        return bool(parameters.get_param("database.is_neutralized"))

    def _whatsapp_is_cut_off(self):
        """Tell whether the database is a copy that nobody connected on purpose."""
        # sudo: mail.gateway - whoever is about to send
        return self._whatsapp_is_copy() and not self.sudo().whatsapp_copy_connected

    def action_whatsapp_connect_copy(self):
        """Let this number send and receive though the database is a copy.

        :raise AccessError: only administrators may
        """
        self._whatsapp_connect_copy(True)

    def action_whatsapp_disconnect_copy(self):
        """Cut this number of a copy off again.

        :raise AccessError: only administrators may
        """
        self._whatsapp_connect_copy(False)

    def _whatsapp_connect_copy(self, connected):
        self.check_access("write")
        if not self.env.user.has_group(SECRETS):
            raise AccessError(
                self.env._("Only an administrator connects a copy of the database.")
            )
        self.whatsapp_copy_connected = connected
        self._whatsapp_resume()
