# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The story: seven customers write, three salespeople answer, one send fails once."""

import base64
import mimetypes
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape

from devkit import paths
from devkit.console import Failure, console, say, step
from devkit.demo import people
from devkit.demo.gateway import Gateway
from devkit.demo.people import Customer
from devkit.demo.rpc import Session
from devkit.environment import Environment
from devkit.simulator import client, media

PATIENCE = 30  # seconds until Odoo shows what happened
POLL = 0.2  # seconds between two looks
BUTTON = "Quiero agendar una visita"
CAPTION = "Este comedor me encantó en su tienda. ¿Lo tienen para ocho personas?"
PICTURE = "product/static/img/dining_table.png"  # of Odoo's own files
CRON = paths.xml_id("ir_cron_message_queue")


@dataclass
class Answer:
    """What a salesperson wrote, and its row in the queue of outgoing messages."""

    customer: Customer
    login: str
    text: str
    row_id: int


@dataclass
class Told:
    """What happened, for whoever checks it."""

    written: dict[str, list[str]] = field(default_factory=dict)  # name -> texts
    wamids: list[str] = field(default_factory=list)
    doubled: str = ""  # wamid of the message that Meta delivered twice
    seen: str = ""  # wamid of the message that the salesperson has read
    picture: bytes = b""
    answers: dict[str, Answer] = field(default_factory=dict)  # by customer's name
    known_lead: int = 0
    sale: int = 0  # the won lead of a customer who comes again


class Story:
    """Plays the story on a connected Odoo and simulator, and shows each step."""

    def __init__(
        self,
        env: Environment,
        admin: Session,
        simulator: client.Simulator,
        gateway: Gateway,
        log_in: Callable[[str], Session],
    ):
        self._env, self._admin, self._simulator = env, admin, simulator
        self._gateway, self._log_in = gateway, log_in
        self._customers = {
            who.name: simulator.person(number=gateway.number_id, **who.values())
            for who in people.CUSTOMERS
        }
        self.told = Told()

    def play(self) -> Told:
        """The whole story. Raises Failure when Odoo does not follow."""
        self._write_down_known_lead()
        self._write_down_sale()
        self._write(people.JAVIER, "Hola, vivo en Valencia. ¿Envían a España la mesa?")
        self._fail_next_send_to(people.JAVIER)
        self._answer(people.JAVIER, "¡Hola, Javier! Sí, en unas tres semanas.")
        self._await_failure(people.JAVIER)
        self._write(people.LUCIA, "Hola, ¿tienen el comedor Oaxaca para seis personas?")
        self._write(
            people.RAFAEL,
            "Buenas tardes, soy Rafael, de Curitiba. ¿Siguen en pie las doce sillas?",
        )
        self._write(
            people.CAMILA,
            "Vi su sofá Sierra. ¿En qué colores lo tienen?",
            referral=people.AD,
        )
        self._write(people.PATRICIA, "¡Hola otra vez! Ahora busco una mesa de noche.")
        self._send_picture(people.FERNANDA)
        self._press_button(people.TOMAS)
        self._answer(
            people.LUCIA, "¡Hola, Lucía! Sí, en nogal y en encino. ¿Cuál prefiere?"
        )
        self._await_delivery(people.LUCIA, "read")
        self._write(people.LUCIA, "En nogal. ¿Y entregan los sábados?")
        self._look_at(people.LUCIA)
        self._write_twice(people.CAMILA, "Me gusta más el verde olivo.")
        self._answer(people.CAMILA, "¡Hola, Camila! El verde olivo llega el lunes.")
        self._await_delivery(people.CAMILA, "delivered")
        self._await_retry(people.JAVIER)
        self._await_quiet()
        return self.told

    def fail_to_reach(self, who: Customer, text: str) -> None:
        """One more answer, which Meta refuses for good: nobody has that number."""
        match = {"person": self._customers[who.name].id}
        self._simulator.fault("error", code=131026, http=400, times=1, match=match)
        self._answer(who, text)
        self._until(
            f"knows that {who.name} cannot be reached",
            lambda: self._row(who)["state"] == "failed",
        )

    # ------------------------------------------------------------- before

    def _write_down_known_lead(self) -> None:
        owner = people.KNOWN_LEAD_OWNER
        session = self._log_in(owner.login)
        brazil = session.read("res.country", [("code", "=", "BR")], "id")[0]
        self.told.known_lead = session.create(
            "crm.lead",
            **people.KNOWN_LEAD,
            type="opportunity",
            user_id=session.uid,
            country_id=brazil["id"],
        )
        _tell(
            owner.name,
            f"has a lead of {people.RAFAEL.name}, with the number spelt "
            f"{people.KNOWN_LEAD['phone']}",
        )

    def _write_down_sale(self) -> None:
        seller = people.SELLER
        session = self._log_in(seller.login)
        self.told.sale = session.create(
            "crm.lead", **people.SALE, type="opportunity", user_id=session.uid
        )
        session.call("crm.lead", "action_set_won", [self.told.sale])
        _tell(seller.name, f"has sold to {people.PATRICIA.name} before")

    # ------------------------------------------------------------- customers

    def _write(self, who: Customer, text: str, **more) -> None:
        after = " after a click on an ad" if more.get("referral") else ""
        _tell(who.name, f"writes{after}: {text}")
        self._arrived(who, text, self._customers[who.name].send_text(text, **more))

    def _write_twice(self, who: Customer, text: str) -> None:
        self._simulator.fault("duplicate", copies=2, times=1)
        _tell(who.name, f"writes, and Meta delivers it twice: {text}")
        wamid = self._customers[who.name].send_text(text)
        self.told.doubled = wamid
        self._arrived(who, text, wamid)

    def _send_picture(self, who: Customer) -> None:
        mime_type, content = self._picture()
        self.told.picture = content
        _tell(who.name, f"sends a picture: {CAPTION}")
        wamid = self._customers[who.name].send_image(
            caption=CAPTION,
            mime_type=mime_type,
            bytes_base64=base64.b64encode(content).decode(),
        )
        self._arrived(who, CAPTION, wamid)
        self._until(
            "shows the picture",
            lambda: self._admin.read(
                "mail.message",
                [("whatsapp_message_id", "=", wamid), ("attachment_ids", "!=", False)],
                "id",
            ),
        )

    def _picture(self) -> tuple[str, bytes]:
        """A picture of furniture, if this Odoo has one; MIME type and content."""
        for folder in self._env.odoo.addons:
            file = Path(folder) / PICTURE
            if file.exists():
                return mimetypes.guess_type(file.name)[0], file.read_bytes()
        return media.sample("image", None)

    def _press_button(self, who: Customer) -> None:
        _tell(who.name, f"presses the button of a template: {BUTTON}")
        wamid = self._customers[who.name].send("button", title=BUTTON)
        self._arrived(who, BUTTON, wamid)

    def _arrived(self, who: Customer, text: str, wamid: str) -> None:
        """Wait until Odoo shows the message; say where."""
        self.told.written.setdefault(who.name, []).append(text)
        self.told.wamids.append(wamid)
        message = self._until(
            f"shows the message of {who.name}",
            lambda: self._admin.read(
                "mail.message", [("whatsapp_message_id", "=", wamid)], "res_id"
            ),
        )[0]
        channel = self._channel([("id", "=", message["res_id"])])
        lead, owner = channel["lead_id"], channel["whatsapp_user_id"]
        say(
            f"        [dim]lead[/] {escape(lead[1]) if lead else 'none'} "
            f"[dim]of[/] {escape(owner[1]) if owner else 'nobody'}"
        )

    def _channel(self, domain: list) -> dict:
        fields = ("lead_id", "whatsapp_user_id", "name")
        domain = [("gateway_id", "=", self._gateway.id), *domain]
        return self._admin.read("discuss.channel", domain, *fields)[0]

    # ------------------------------------------------------------- salespeople

    def _answer(self, who: Customer, text: str) -> None:
        """Let the lead's salesperson answer, as the chat in the browser does."""
        message = self._admin.read(
            "mail.message", [("whatsapp_message_id", "in", self._wamids(who))], "res_id"
        )[0]
        channel = self._channel([("id", "=", message["res_id"])])
        if not channel["whatsapp_user_id"]:
            raise Failure(f"nobody has the lead of {who.name}")
        owner = self._admin.read(
            "res.users", [("id", "=", channel["whatsapp_user_id"][0])], "login", "name"
        )[0]
        _tell(owner["name"], f"answers {who.name}: {text}")
        self._post(self._log_in(owner["login"]), channel["id"], text)
        rows = self._until(
            f"has the answer to {who.name} in its queue",
            lambda: self._admin.read(
                "whatsapp.message.queue", [("channel_id", "=", channel["id"])], "id"
            ),
        )
        self.told.answers[who.name] = Answer(who, owner["login"], text, rows[-1]["id"])

    def _look_at(self, who: Customer) -> None:
        """Let the salesperson have the chat open, as the browser tells it."""
        message = self._admin.read(
            "mail.message",
            [("whatsapp_message_id", "=", self.told.wamids[-1])],
            "res_id",
        )[0]
        answer = self.told.answers[who.name]
        session = self._log_in(answer.login)
        _tell(answer.login, f"has read what {who.name} wrote")
        session.post(
            "/discuss/channel/mark_as_read",
            channel_id=message["res_id"],
            last_message_id=message["id"],
        )
        self.told.seen = self.told.wamids[-1]
        self._until(
            f"tells {who.name} so",
            lambda: any(call["outcome"] == "read" for call in self._simulator.outbox()),
        )

    def _wamids(self, who: Customer) -> list[str]:
        person = self._customers[who.name].id
        return [
            item["wamid"]
            for item in self._simulator.received()
            if item["person_id"] == person
        ]

    def _post(self, session: Session, channel_id: int, text: str) -> None:
        session.call("discuss.channel", "action_open_whatsapp", [channel_id])
        session.post(
            "/mail/message/post",
            thread_model="discuss.channel",
            thread_id=channel_id,
            post_data={
                "body": text,
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
            },
        )

    def _row(self, who: Customer) -> dict:
        return self._admin.read(
            "whatsapp.message.queue",
            [("id", "=", self.told.answers[who.name].row_id)],
            *("state", "delivery", "attempts", "next_attempt_at", "error_code"),
        )[0]

    def _await_delivery(self, who: Customer, wanted: str) -> None:
        def look():
            row = self._row(who)
            return row if row["delivery"] == wanted else None

        self._until(f"shows the answer to {who.name} as {wanted}", look)
        say(f"        [dim]shown as[/] {wanted}")

    # ------------------------------------------------------------- one failure

    def _fail_next_send_to(self, who: Customer) -> None:
        person = self._customers[who.name].id
        match = {"person": person}
        self._simulator.fault("error", code=131000, http=500, times=1, match=match)

    def _await_failure(self, who: Customer) -> None:
        row = self._until(
            f"sees that the answer to {who.name} failed",
            lambda: self._row(who) if self._row(who)["next_attempt_at"] else None,
        )
        say(
            f"        [dim]Meta fails with error {row['error_code']}; again in "
            f"{max(0, _seconds_until(row)):.0f} s"
        )

    def _await_retry(self, who: Customer) -> None:
        """Wait for the minute; then the cron runs, or an administrator starts it.

        The timer of crons wakes once a minute, which would be a second minute.
        """
        row = self._row(who)
        seconds = _seconds_until(row) if row["next_attempt_at"] else 0
        title = f"the second attempt to answer {who.name} (a minute after the first)"
        with step(title) as show:
            end = time.monotonic() + max(seconds, 0) + 1
            while self._row(who)["state"] == "queued" and time.monotonic() < end:
                show(f"{end - time.monotonic():.0f} s")
                time.sleep(min(1, max(end - time.monotonic(), POLL)))
            if self._row(who)["state"] == "queued":
                self._run_cron()
            self._until(
                f"has sent the answer to {who.name}",
                lambda: self._row(who)["state"] == "sent",
            )
        self._await_delivery(who, "delivered")

    def _run_cron(self) -> None:
        """Press 'Run manually' on the cron that sends again."""
        module, name = CRON.split(".")
        found = self._admin.read(
            "ir.model.data", [("module", "=", module), ("name", "=", name)], "res_id"
        )[0]
        self._admin.call("ir.cron", "method_direct_trigger", [found["res_id"]])

    # ------------------------------------------------------------- waiting

    def _await_quiet(self) -> None:
        """Until Meta has nothing to deliver and Odoo nothing to do."""
        if not self._simulator.wait(PATIENCE):
            raise Failure(f"Odoo did not take all deliveries within {PATIENCE} s")
        self._until(
            "has done all that Meta delivered",
            lambda: (
                not self._admin.count(
                    "whatsapp.webhook.event", [("state", "=", "pending")]
                )
            ),
        )

    def _until(self, what: str, look: Callable):
        """What `look` returns as soon as it is something. Raises Failure."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(POLL)
        raise Failure(f"within {PATIENCE} s there was no sign that Odoo {what}")


def _seconds_until(row: dict) -> float:
    """Seconds until the row's next attempt, by Odoo's UTC text."""
    due = datetime.fromisoformat(row["next_attempt_at"]).replace(tzinfo=UTC)
    return (due - datetime.now(UTC)).total_seconds()


def _tell(name: str, what: str) -> None:
    console.print(f"  [bold cyan]{escape(name)}[/] {escape(what)}", soft_wrap=True)
