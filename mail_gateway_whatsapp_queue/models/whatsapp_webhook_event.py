# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import json
import logging
import queue
import threading
from datetime import timedelta
from time import monotonic
from traceback import format_tb

from markupsafe import Markup
from psycopg2.extras import Json

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

from .. import compat
from ..columns import column_names
from ..queue import worker
from ..queue.locks import (
    in_transaction,
    person_keys,
    remembered,
    remove_in_batches,
    try_locks_each,
)
from ..tools import webhook
from ..tools.cloud_api import MediaGone
from ..tools.errors import NotYet
from .ir_attachment import StoreFailed

_logger = logging.getLogger(__name__)

# seconds to wait before an event is tried again, by number of failures
BACKOFF = (5, 15, 60, 300, 900, 3600)
# the same for media: Meta keeps an inbound file for seven days
HOUR = 3600
MEDIA_BACKOFF = (5, 30, 120, 600, HOUR, *(h * HOUR for h in (6, 24, 48, 72, 17)))
# the same for what nobody waits for, since its messages are shown: for a week
LATER_BACKOFF = (5, 15, 60, 300, 900, *[3600] * 168)
# after so long whoever is alerted is told of what fails
TELL_AFTER = timedelta(minutes=5)
EVENT_FAILS = "mail_gateway_whatsapp_queue.mail_activity_type_event"
# for so long later events of a person wait behind one that failed
IN_ORDER = timedelta(minutes=1)
OF_PEOPLE = ("message", "status", "echo")  # kinds that say who it is about
LATE = timedelta(seconds=10)  # after which somebody waits for long
PERSONS = 50  # persons looked up at once
FILES_AT_ONCE = 4  # each holds two connections to the database
# a transaction is shared by events of some persons: most of what one event reads
# (number, company, team, rules) the next one needs too
BATCH = 10  # persons
RUN = 20  # events of each of them
SHARE = 0.8  # seconds after which it begins no further event


class WhatsappWebhookEvent(models.Model):
    """One message, status or other change, exactly as Meta delivered it.

    Written by the webhook before it answers, worked on afterwards. The state
    says what is left to do; who does it now is said by a lock only, so that a
    crash leaves nothing to clean.
    """

    _name = "whatsapp.webhook.event"
    _description = "WhatsApp webhook event"
    _order = "id desc"
    _rec_name = "key"

    # Seconds to wait before an event of a kind is tried again, if not BACKOFF; kinds
    # of which whoever is alerted is told; kinds behind which no other event waits
    _backoffs = {"media": MEDIA_BACKOFF, "merge": LATER_BACKOFF}
    _told_kinds = ("message",)
    _kinds_aside = ("merge",)

    gateway_id = fields.Many2one(
        "mail.gateway", readonly=True, index=True, ondelete="set null"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    key = fields.Char(required=True, readonly=True)
    kind = fields.Selection(
        [
            ("message", "Message"),
            ("status", "Status"),
            ("echo", "Phone app"),
            ("change", "Change"),
            ("media", "File"),
            ("merge", "Merge"),
            ("unknown", "Unknown"),
        ],
        required=True,
        readonly=True,
    )
    type = fields.Char(readonly=True)
    person = fields.Char(
        readonly=True, help="All names of the person, separated by spaces."
    )
    payload = fields.Json(string="Payload (JSON)", readonly=True)
    payload_text = fields.Text(string="Payload", compute="_compute_payload_text")
    occurred_at = fields.Datetime(readonly=True, help="Meta's timestamp, UTC.")
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("ignored", "Ignored"),
        ],
        default="pending",
        required=True,
        readonly=True,
        index=True,
    )
    attempts = fields.Integer(readonly=True)
    next_attempt_at = fields.Datetime(readonly=True)
    failed_since = fields.Datetime(readonly=True)
    error = fields.Text(readonly=True)

    def init(self):
        """Make the indexes: the judge of duplicates, and the work to do."""
        self.env.cr.execute(
            """
            CREATE UNIQUE INDEX IF NOT EXISTS whatsapp_webhook_event_key_uniq
                ON whatsapp_webhook_event (COALESCE(gateway_id, 0), key);
            CREATE INDEX IF NOT EXISTS whatsapp_webhook_event_pending_idx
                ON whatsapp_webhook_event (id) WHERE state = 'pending';
            CREATE INDEX IF NOT EXISTS whatsapp_webhook_event_person_idx
                ON whatsapp_webhook_event
             USING gin (string_to_array(person, ' ')) WHERE state = 'pending';
            """
        )
        return super().init()

    @api.depends("payload")
    def _compute_payload_text(self):
        for event in self:
            event.payload_text = json.dumps(event.payload, ensure_ascii=False, indent=2)

    # ------------------------------------------------------------- store

    @api.model
    def _store(self, rows):
        """Store each event once. When this returns, they are in the database.

        :param list rows: dicts with gateway_id, company_id, key, kind, type,
            person, payload, occurred_at, state and error
        :return: number of rows that were new
        """
        columns = (
            "gateway_id",
            "company_id",
            "key",
            "kind",
            "type",
            "person",
            "payload",
            "occurred_at",
            "state",
            "error",
        )
        values = [
            tuple(
                Json(row[name]) if name == "payload" else row.get(name)
                for name in columns
            )
            for row in rows
        ]
        with self.env.registry.cursor() as cr:
            # all at once, since Meta waits. ON CONFLICT DO NOTHING raises under
            # REPEATABLE READ when a parallel redelivery wins
            level = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
            written = (0, *(SUPERUSER_ID, fields.Datetime.now()) * 2)
            cr.execute_values(
                f"""
                {level if compat.is_real_cursor(cr) else ""}
                INSERT INTO whatsapp_webhook_event
                    ({", ".join(columns)}, attempts, create_uid, create_date,
                     write_uid, write_date)
                VALUES %s ON CONFLICT DO NOTHING
                """,
                [(*row, *written) for row in values],
                page_size=len(values) or 1,
            )

    # ------------------------------------------------------------- drain

    @classmethod
    def _drain(cls, registry, deadline, skip_keys):
        """Work on what customers and Meta sent, person by person.

        :param registry: the database's registry
        :param float deadline: ``monotonic()`` after which nothing is begun
        :param list skip_keys: grows by what others hold and what has to wait
        :return: True if work that is due was left
        """
        return cls._drain_kinds(registry, deadline, skip_keys, media=False)

    @classmethod
    def _drain_media(cls, registry, deadline, skip_keys):
        """Fetch files, some at once: a slow one keeps no other waiting."""
        with registry.cursor() as cr:
            if not compat.is_real_cursor(cr):  # a test's transaction is one thread's
                return cls._drain_kinds(registry, deadline, skip_keys, media=True)
        running, ended = set(), queue.SimpleQueue()

        def fetch(person):
            ended.put((person, cls._fetch(registry, person)))

        while True:
            due = cls._due_persons(registry, [*skip_keys, *running], media=True)
            free = FILES_AT_ONCE - len(running) if monotonic() < deadline else 0
            for person in due[:free]:
                # a daemon, as the queue itself: no file delays the end of the server
                threading.Thread(target=fetch, args=(person,), daemon=True).start()
                running.add(person)
            if not running:
                return bool(due)
            try:  # for a second, then it looks for files that have come meanwhile
                person, begun = ended.get(timeout=1)
            except queue.Empty:
                continue
            running.remove(person)
            if not begun:
                skip_keys.append(person)

    @classmethod
    def _fetch(cls, registry, person):
        """Fetch one file, in a thread of its own; return whether it was begun."""
        threading.current_thread().dbname = registry.db_name
        try:
            return person in cls._process_persons(registry, [person])
        except Exception:  # not even the failure could be written
            _logger.exception("a file is left for later")
            return False

    @classmethod
    def _drain_kinds(cls, registry, deadline, skip_keys, media):
        while True:
            persons = cls._due_persons(registry, skip_keys, media)
            if not persons:
                return False
            for batch in cls._batches(persons, 1 if media else BATCH):
                if monotonic() > deadline:
                    return True
                try:
                    begun = cls._process_persons(registry, batch)
                except Exception:  # not even the failure could be written
                    _logger.exception("the events of some persons are left for later")
                    begun = set()
                skip_keys.extend(set(batch) - begun)

    @classmethod
    def _waiting(cls, registry, limit, media=False, late=False):
        """Return for how many persons something is due, ``limit`` at most.

        :param bool late: only those who wait for long: whoever has a slot may itself
            wait for what somebody holds, such as the row of a lead
        """
        before = fields.Datetime.now() - LATE if late else None
        return len(cls._due_persons(registry, [], media, limit, before))

    @classmethod
    def _waiting_media(cls, registry, limit, late=False):
        return cls._waiting(registry, limit, media=True, late=late)

    @classmethod
    def _due_persons(cls, registry, skip_keys, media, limit=PERSONS, before=None):
        with registry.cursor() as cr:
            cr.execute(
                """
                SELECT person
                  FROM whatsapp_webhook_event
                 WHERE state = 'pending'
                   AND (kind = 'media') = %s
                   AND (next_attempt_at IS NULL
                        OR next_attempt_at <= %s)
                   AND (%s::timestamp IS NULL OR create_date <= %s)
                   AND NOT person = ANY(%s)
                 GROUP BY person
                 ORDER BY min(id)
                 LIMIT %s
                """,
                (media, fields.Datetime.now(), before, before, skip_keys, limit),
            )
            return [person for (person,) in cr.fetchall()]

    @classmethod
    def _batches(cls, persons, size):
        """Split persons into groups of one company that may share a transaction.

        One company has one pool of salespeople, which a transaction holds: who
        held two could wait for somebody who waits for the other.
        """
        companies = {}
        for person in persons:
            companies.setdefault(person.partition(":")[0], []).append(person)
        for members in companies.values():
            for start in range(0, len(members), size):
                yield members[start : start + size]

    @classmethod
    def _process_persons(cls, registry, persons):
        """Apply the next due events of some persons, each person's in order.

        :return: set of those with whom something was begun; of the others somebody
            else takes care now, or their turn has not come
        """
        wanted = {person: person_keys(person.split()) for person in persons}
        with try_locks_each(registry, wanted) as held:
            events = cls._next_events(registry, held)
            begun = {person for person, _event_id in events}
            ids = list(dict.fromkeys(event_id for _person, event_id in events))
            if len(begun) > 1 and cls._apply_once(registry, ids) is None:
                return begun
            for run in cls._runs(events):
                cls._apply_run(registry, run)
            return begun

    @classmethod
    def _runs(cls, events):
        """Split events into those of each person, in order.

        Persons who share an event, which names both, are one.

        :param events: list of tuples of person and event id, in order
        :return: list of lists of event ids
        """
        runs = []
        for person in dict.fromkeys(person for person, _event_id in events):
            run = {event_id for one, event_id in events if one == person}
            for other in [other for other in runs if run & other]:
                runs.remove(other)
                run |= other
            runs.append(run)
        ids = list(dict.fromkeys(event_id for _person, event_id in events))
        return [[event_id for event_id in ids if event_id in run] for run in runs]

    @classmethod
    def _next_events(cls, registry, persons):
        """Return the next events of each person, none behind one that must wait.

        :return: list of tuples of person and event id, in order
        """
        now = fields.Datetime.now()
        with registry.cursor() as cr:
            cr.execute(
                """
                SELECT wanted.person, event.id,
                       event.next_attempt_at IS NULL
                           OR event.next_attempt_at <= %s,
                       NOT event.kind = ANY(%s) AND event.failed_since > %s
                  FROM unnest(%s::text[]) AS wanted (person)
                 CROSS JOIN LATERAL (
                       SELECT id, kind, occurred_at, next_attempt_at, failed_since
                         FROM whatsapp_webhook_event
                        WHERE state = 'pending'
                          AND string_to_array(person, ' ')
                              && string_to_array(wanted.person, ' ')
                        ORDER BY occurred_at, id
                        LIMIT %s) event
                 ORDER BY event.occurred_at, event.id
                """,
                (now, list(cls._kinds_aside), now - IN_ORDER, list(persons), RUN),
            )
            events, blocked = [], set()
            for person, event_id, due, holds_others in cr.fetchall():
                if due and person not in blocked:
                    events.append((person, event_id))
                elif holds_others:
                    blocked.add(person)
            return events

    @classmethod
    def _apply_run(cls, registry, ids):
        """Apply the events of one person; if one fails, each on its own.

        A message that fails is shown without what else it leads to, if that helps.

        :return: True if all were applied
        """
        error = cls._apply_once(registry, ids)
        if error is None:
            return True
        if len(ids) > 1:
            return all(cls._apply_run(registry, [event_id]) for event_id in ids)
        if cls._apply_without_rest(registry, ids, error):
            return True
        in_transaction(
            registry, lambda env: env[cls._name].browse(ids)._record_failure(error)
        )
        return False

    @classmethod
    def _apply_without_rest(cls, registry, ids, error):
        """Show a message of which, perhaps, only what it leads to cannot be done.

        :return: True if that was possible
        """
        kind = in_transaction(
            registry, lambda env: env[cls._name].browse(ids).exists().kind
        )
        if kind != "message" or isinstance(error, NotYet):
            return False
        return cls._apply_once(registry, ids, rest_error=error) is None

    @classmethod
    def _apply_once(cls, registry, ids, rest_error=None):
        """Apply events in one transaction, as many as its time allows.

        :param rest_error: why all that a message leads to could not be done at once;
            then the message is shown without what can follow later
        :return: None, or the error for which nothing of this was written
        """

        def apply(env):
            events = env[cls._name].browse(ids)
            there = events.search_fetch([("id", "in", ids)], column_names(events))
            due = (events & there).filtered(lambda event: event.state == "pending")
            begun = due._prepare_together()
            enough = monotonic() + SHARE
            done = due.browse()
            for event in due:
                # no conversation begins without its message
                if monotonic() < enough or event in begun:
                    done |= event._apply(rest_error)
            done._finish()

        try:
            in_transaction(registry, apply)
        except Exception as failure:
            # without its words, which may be a customer's
            _logger.log(
                logging.INFO if len(ids) > 1 else logging.ERROR,
                "events %s could not be applied: %s\n%s",
                ids,
                type(failure).__name__,
                "".join(format_tb(failure.__traceback__)),
            )
            return failure
        return None

    # ------------------------------------------------------------- apply

    def _apply(self, rest_error=None):
        """Do what the event asks for, as the gateway's webhook user.

        :param rest_error: see :meth:`_apply_once`
        :return: the event if it is done, and only to be noted as such
        """
        self.ensure_one()
        service, gateway_sudo = self._service()
        try:
            if self.kind in self._jobs():
                getattr(service, f"_receive_{self.kind}")(gateway_sudo, self)
                self._finish()  # others ask whether it is still to be done
                return self.browse()
            if rest_error and not service._postpone_rest(
                gateway_sudo, self, rest_error
            ):
                raise rest_error
            service._receive_update(gateway_sudo, self.payload)
        except NotYet as reason:
            if self.kind not in ("status", "merge"):  # which wrote nothing yet
                raise
            self._record_failure(reason)
            return self.browse()
        return self

    def _finish(self):
        """Note that these are done, all at once, and close the alerts about them."""
        failed = self.filtered("failed_since")
        self.write({"state": "done", "error": False, "failed_since": False})
        for events in failed.grouped("gateway_id").values():
            events._close_alerts()

    def _service(self):
        """Return the service of the gateway, and the gateway, for what it received."""
        gateway = self.gateway_id
        known = remembered(self.env.cr, "services")
        if gateway.id not in known:
            known[gateway.id] = self._begin_service(gateway)
        return known[gateway.id]

    def _begin_service(self, gateway):
        # sudo: mail.gateway, res.users - the webhook user may be anybody
        worker = gateway._whatsapp_worker().sudo()
        public = self.env["ir.model.data"]._xmlid_to_res_id("base.public_user")
        users = worker.browse([worker.id, public])
        # read together: who works, in whose name strangers write, and the company
        (users.partner_id | gateway.company_id.partner_id).mapped("lang")
        service = (
            self.env["mail.gateway.whatsapp"]
            .with_user(worker)
            .with_company(gateway.company_id)
            .with_context(
                no_gateway_notification=True,
                lang=gateway._whatsapp_lang(),
                # no customer waits for a mail server: the queue sends notices
                mail_notify_force_send=False,
            )
        )
        return service, service.env["mail.gateway"].sudo().browse(gateway.id)

    def _prepare_together(self):
        """Look up, and begin, together what these events need, which ask one by one.

        :return: those of them whose conversations were begun
        """
        begun, names = self.browse(), set()
        of_people = self.filtered(
            lambda event: event.gateway_id and event.kind in OF_PEOPLE
        )
        event_of, firsts = {}, set()
        for event in of_people:
            for atom in webhook.split(event.payload or {}):
                if not atom.identity:
                    continue
                key = (event.gateway_id, atom.key)
                event_of[key] = (event, atom)
                # what comes before, such as a new number, may lead to a conversation
                said = {*atom.keys, *atom.identity.phones}
                if names.isdisjoint(said):
                    firsts.add(key)
                names |= said
        for gateway, events in of_people.grouped("gateway_id").items():
            keys = [key for key in event_of if key[0] == gateway]
            service, gateway_sudo = events[0]._service()
            service._look_up_together([event_of[key][1] for key in keys])
            new = [event_of[key][1] for key in keys if key in firsts]
            for atom in service._begin_together(gateway_sudo, new):
                begun |= event_of[gateway, atom.key][0]
        return begun

    @api.model
    def _jobs(self):
        """Return the kinds of events that are work of ours, not deliveries of Meta.

        The service has a method ``_receive_<kind>`` for each. A hook.
        """
        return ("media", "merge")

    def _record_failure(self, error):
        """Plan the next attempt, or give up and say so."""
        self.ensure_one()
        now = fields.Datetime.now()
        backoff = self._backoffs.get(self.kind, BACKOFF)
        values = {
            "attempts": self.attempts + 1,
            "error": f"{type(error).__name__}: {error}"[:2000],
        }
        if not isinstance(error, NotYet):  # for which nobody has to wait
            values["failed_since"] = self.failed_since or now
        if self.attempts < len(backoff):
            values["next_attempt_at"] = now + timedelta(seconds=backoff[self.attempts])
            self._whatsapp_cron()._trigger(at=values["next_attempt_at"])
        elif isinstance(error, NotYet):
            values["state"] = "ignored"
        else:
            values["state"] = "failed"
            _logger.error("event %s failed for good: %s", self.id, type(error).__name__)
        if self.kind == "media" and (self.attempts or values.get("state")):
            self._notify_media(error, is_last=bool(values.get("state")))
        self.write(values)
        is_late = self.failed_since and now - self.failed_since >= TELL_AFTER
        if is_late or isinstance(error, StoreFailed):
            self._alert(error)

    # ------------------------------------------------------------- alerts

    def _alert(self, error):
        """Ask whoever is alerted to look at what fails: once until it works.

        :param error: of the last attempt
        """
        is_store = isinstance(error, StoreFailed)
        if not (self.kind in self._told_kinds or is_store) or not self.gateway_id:
            return
        told = (UserError, StoreFailed)
        reason = str(error) if isinstance(error, told) else type(error).__name__
        told = self._alerts().user_id
        for user in self.gateway_id._whatsapp_alerted() - told:
            if not self.gateway_id._whatsapp_may_be_notified(user):
                continue
            words = self.with_context(lang=user.lang).env
            summary, what = self._alert_words(words, is_store)
            self.gateway_id.activity_schedule(
                EVENT_FAILS,
                summary=summary,
                note=Markup("<p>%s</p><p>%s</p><p>%s</p>")
                % (
                    what,
                    words._("Odoo says: %s", reason[:500]),
                    words._(
                        "When the cause is fixed, open 'Received from Meta' and"
                        " choose 'Process again': it goes on at once. You are not told"
                        " again until then."
                    ),
                ),
                user_id=user.id,
            )

    def _alert_words(self, words, is_store):
        """Return the title of an alert, and what it says first. A hook.

        :param words: environment in the language of the reader
        :param bool is_store: a file could not be stored
        """
        if is_store:
            return (
                words._("WhatsApp: files cannot be stored"),
                words._(
                    "A file of a customer could not be written to the file store of"
                    " Odoo. Perhaps its disk is full, or may not be written to. Odoo"
                    " fetches the file again as long as WhatsApp keeps it: seven days."
                ),
            )
        return (
            words._("WhatsApp: a message cannot be shown"),
            words._(
                "A customer's message could not be shown for some minutes."
                " Odoo tries it some more times."
            ),
        )

    def _alerts(self):
        """Return the open activities about what fails at these numbers."""
        # sudo: mail.activity - those of others
        activities = self.env["mail.activity"].sudo()
        return activities.search(
            [
                ("res_model", "=", "mail.gateway"),
                ("res_id", "in", self.gateway_id.ids),
                ("activity_type_id", "=", self.env.ref(EVENT_FAILS).id),
            ]
        )

    def _close_alerts(self):
        """Complete the alerts of a number at which nothing fails any more."""
        fails = self.search_count(
            [
                ("gateway_id", "=", self.gateway_id.id),
                ("state", "=", "pending"),
                ("failed_since", "!=", False),
                "|",
                ("kind", "in", self._told_kinds),
                ("error", "=like", f"{StoreFailed.__name__}:%"),
            ],
            limit=1,
        )
        for alert in self._alerts() if not fails else ():
            words = self.with_context(lang=alert.user_id.lang).env
            alert.action_feedback(feedback=words._("It works again."))

    # ------------------------------------------------------------- buttons

    def _notify_media(self, error, is_last):
        """Say in the chat that a file is late, or will not come.

        :param error: of the last attempt
        :param bool is_last: there will be no other
        """
        job = self.payload
        posted = self.env["mail.message"].browse(job["message_id"]).exists()
        chat = self.env["discuss.channel"].browse(posted.res_id).exists()
        if posted and chat:
            lang = self.gateway_id._whatsapp_lang()
            service = self.env["mail.gateway.whatsapp"].with_context(lang=lang)
            if is_last:
                service._give_up_media(chat, posted, error)
            else:
                service._note_media(chat, posted, self._media_words(service.env, error))

    def _media_words(self, words, error):
        """Return what the chat says of a file that is late, perhaps nothing.

        :param words: environment in the language of the company
        """
        if isinstance(error, MediaGone):
            return words["whatsapp.error"]._advice(error)
        if isinstance(error, StoreFailed):
            return words._(
                "The customer's file could not be stored. An administrator knows it,"
                " and Odoo tries it again by itself."
            )
        return ""

    def action_process_again(self):
        """Give failed and ignored events a new chance, and pending ones theirs now.

        :raise AccessError: the user is no administrator
        """
        self.check_access("write")
        events = self.filtered(lambda event: event.state != "done")
        for event in events.filtered(lambda event: not event.gateway_id):
            event._route_again()
        # since when it fails stays known: its alert is closed when it works
        events.write(
            {
                "state": "pending",
                "attempts": 0,
                "next_attempt_at": False,
            }
        )
        self._whatsapp_cron()._trigger()

    def _route_again(self):
        """Find the gateway of an event that came for an unknown number.

        :raise UserError: there is still none
        """
        self.ensure_one()
        number = next(
            (atom.phone_number_id for atom in webhook.split(self.payload or {})), None
        )
        gateway = self.env["mail.gateway"].search(
            [
                ("gateway_type", "=", "whatsapp"),
                ("whatsapp_from_phone", "=", number or False),
            ],
            limit=1,
        )
        if not number or not gateway:
            raise UserError(
                self.env._(
                    "No gateway has the phone number ID %s. Please correct it in the"
                    " gateway, or make one, and try again.",
                    number or "",
                )
            )
        company = gateway.company_id
        keys = [key.partition(":")[2] for key in (self.person or "").split()]
        self.write(
            {
                "gateway_id": gateway.id,
                "company_id": company.id,
                "person": " ".join(f"{company.id or 0}:{key}" for key in keys),
            }
        )

    @api.model
    def _whatsapp_cron(self):
        # sudo: ir.cron - whoever causes the work may not read crons
        return self.env.ref("mail_gateway_whatsapp_queue.ir_cron_webhook_event").sudo()

    @api.model
    def _cron_process_events(self):
        """Work on what no thread has taken: after a crash, or too much at once."""
        for name in ("inbound", "media"):
            if worker.run_queue(self.env.registry, name, seconds=40):
                self._whatsapp_cron()._trigger()

    @api.autovacuum
    def _gc_events(self):
        """Remove events that are dealt with: they hold personal data."""
        limit = self.env["mail.gateway"]._whatsapp_kept_since()
        done, left = remove_in_batches(
            self, [("state", "in", ("done", "ignored")), ("create_date", "<", limit)]
        )
        compat.vacuum_again(self.env, left)
        return done, left
