# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo processes that are killed and come back, who uses them, and time that flies."""

import contextlib
import os
import signal
import threading
import time

from devkit import paths
from devkit import shop as shops
from devkit.demo.rpc import Refused, Session
from devkit.server import free_port
from devkit.simulator.client import Simulator
from devkit.simulator.server import running

PATIENCE = 60  # seconds until a killed Odoo is back
MINUTE = 5  # seconds that it lasts here
TO_EVERYBODY = """
for channel in env["discuss.channel"].browse(env.context["active_ids"]):
    channel.message_post(
        body=env.context["text"],
        message_type="comment",
        subtype_xmlid="mail.mt_comment",
    )
"""
# who holds the outbound place: the application name of the connection's process
SENDER = """
    SELECT activity.application_name
      FROM pg_locks lock
      JOIN pg_stat_activity activity USING (pid)
     WHERE lock.locktype = 'advisory' AND lock.granted
       AND activity.datname = current_database()
       AND lock.classid::bigint << 32 | lock.objid::bigint
           = hashtextextended('whatsapp:outbound:0', 0)
"""
# what a crash left: on its way, and nobody holds the conversation
LEFT = """
    SELECT count(*) FROM whatsapp_message_queue
     WHERE state = 'sending' AND pg_try_advisory_xact_lock(
           hashtextextended('whatsapp:send:' || channel_id, 0))
"""
CRON = "SELECT res_id FROM ir_model_data WHERE module = %s AND name = %s"


def until(true, seconds, what, every=0.2):
    """Wait for something to become true.

    :param true: function without arguments
    :param what: function that says how things stand, for the one who has to look
    """
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, what()
        time.sleep(every)
    return found


def new_template(shop, admin):
    """Return a new template 'Greeting' without variables, which Meta has approved.

    :param admin: Session of an administrator
    """
    return admin.create(
        "mail.whatsapp.template",
        name="Greeting",
        template_name="greeting",
        body="We are back",
        category="utility",
        language="en_US",
        gateway_id=shop.value("SELECT id FROM mail_gateway"),
        state="approved",
        is_supported=True,
        model_id=shop.value("SELECT id FROM ir_model WHERE model = 'crm.lead'"),
    )


class Office:
    """One Odoo process after the other, on one address.

    :param str host: the host of which they are; without, they share all files
    """

    def __init__(self, shop, host=""):
        self.shop, self.host, self.port = shop, host, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.clicked_again = 0
        self._open = threading.Event()
        self._server = None

    def open(self):
        self._server = self.shop.start(port=self.port, host=self.host)
        self._open.set()

    def sends(self):
        """Whether it is this one that sends now."""
        name = f"odoo-{self._server.process.pid}"
        return name in {sender for (sender,) in self.shop.rows(SENDER)}

    def kill(self):
        """End it without warning.

        :return: the number of messages that were on their way
        """
        self._open.clear()
        os.kill(self._server.started.pid, signal.SIGKILL)
        self._server.process.wait()
        time.sleep(0.1)  # until PostgreSQL has noticed
        return self.shop.value(LEFT)

    def login(self):
        return Session(self.url, self.shop.database, "admin", "admin")

    # -- people

    def action(self, code):
        """Return a new server action on conversations."""
        return self.login().create(
            "ir.actions.server",
            name="Write",
            model_id=self.shop.value(
                "SELECT id FROM ir_model WHERE model = 'discuss.channel'"
            ),
            state="code",
            code=code,
        )

    def run(self, session, action, channels, **context):
        """Run a server action, once."""
        context |= {
            "active_model": "discuss.channel",
            "active_ids": channels,
            "active_id": channels[0],
        }
        session.call("ir.actions.server", "run", [action], context=context)

    def post(self, session, channel, text):
        """Click in one conversation until the text is there."""
        self._until_there(
            channel,
            text,
            lambda: session.call(
                "discuss.channel",
                "message_post",
                [channel],
                body=text,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            ),
        )

    def post_to(self, session, automation, channels, text):
        """Let an automation write in many conversations, in one transaction."""
        self._until_there(
            channels[0],
            text,
            lambda: self.run(session, automation, channels, text=text),
        )

    def _until_there(self, channel, text, click):
        """Click; who gets no answer looks whether it is there, and clicks again."""
        while True:
            self._wait()
            with contextlib.suppress(Refused):
                click()
                return
            self._wait()
            if self.shop.value(
                "SELECT count(*) FROM mail_message WHERE model = 'discuss.channel'"
                " AND res_id = %s AND body LIKE %s",
                channel,
                f"%{text}%",
            ):
                return
            self.clicked_again += 1

    def _wait(self):
        assert self._open.wait(PATIENCE), "Odoo did not come back"


class Clock:
    """Lets the minutes pass for which a message waits for its next attempt.

    Not for one that Meta took although it answered that it did not: in the minute
    after the first attempt its status arrives, and in a second it might not.

    `planned` are the waits that were cut short: (attempts, code of the error, seconds).
    """

    def __init__(self, shop, simulator):
        self._shop, self._simulator = shop, simulator
        self._cron = shop.value(CRON, *paths.xml_id("ir_cron_message_queue").split("."))
        self._woken = time.monotonic()
        self.planned = []

    def tick(self):
        """Let what waits be due, and the cron see it, as it does each minute anyway."""
        waiting = self._shop.rows(
            "SELECT id, uuid, attempts, error_code,"
            "       extract(epoch FROM next_attempt_at - write_date)::integer"
            "  FROM whatsapp_message_queue"
            " WHERE state = 'queued'"
            "   AND next_attempt_at > clock_timestamp() AT TIME ZONE 'UTC'"
        )
        # asked for after the rows: of each of them Meta has said its word
        taken = {
            attempt["payload"]["biz_opaque_callback_data"]
            for attempt in self._simulator.outbox(outcome="lost")
            if attempt["http"] == 500
        }
        due = [row for row in waiting if row[1] not in taken]
        self.planned += [tuple(row[2:]) for row in due]
        self._shop.execute(
            "UPDATE whatsapp_message_queue"
            "   SET next_attempt_at = clock_timestamp() AT TIME ZONE 'UTC'"
            " WHERE state = 'queued' AND id = ANY(%s)",
            ([row[0] for row in due],),
        )
        if due or time.monotonic() - self._woken > MINUTE:
            self.wake()

    def probe(self):
        """Let the time come at which a paused number is tried."""
        self._shop.execute(
            "UPDATE mail_gateway SET whatsapp_probe_at = now() AT TIME ZONE 'UTC'"
            " WHERE whatsapp_pause_reason IS NOT NULL"
        )
        self.wake()

    def wake(self):
        """Run the cron, as its trigger does when its time has come."""
        self._woken = time.monotonic()
        self._shop.execute(
            "INSERT INTO ir_cron_trigger (cron_id, call_at)"
            " VALUES (%s, now() AT TIME ZONE 'UTC')",
            (self._cron,),
        )
        with self._shop.environment.cluster.connect() as connection:
            connection.execute(
                "SELECT pg_notify('cron_trigger', %s)", (self._shop.database,)
            )


@contextlib.contextmanager
def two_hosts(name, series, odoo, seed, seconds):
    """Two Odoo hosts on one database, and a Meta that they send to.

    :param float seconds: that Meta takes for one message
    :return: shop, offices, simulator and the id of the app at Meta
    """
    with shops.opened(name, series, odoo) as shop, running(seed=seed) as url:
        offices = [Office(shop, "one"), Office(shop, "other")]
        for office in offices:
            office.open()
        offices[0].login().call(
            "ir.config_parameter", "set_param", paths.parameter("graph_url"), url
        )
        simulator = Simulator(url)
        setup = simulator.setup(
            app={"secret": shops.SECRET, "token": "EAAtoken"},
            number={"id": shops.NUMBER, "phone": "5215500000001"},
        )
        simulator.settings(retry_attempts=1000, retry_longest=0.5)
        simulator.fault("delay", seconds=seconds)
        yield shop, offices, simulator, setup["app"]["id"]
