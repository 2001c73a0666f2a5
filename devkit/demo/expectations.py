# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What must be true after the story: each expectation is looked up and judged."""

import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from devkit.checks.odoo_log import LINE, LOUD
from devkit.console import Failure
from devkit.demo import people
from devkit.demo.gateway import Gateway
from devkit.demo.people import (
    AWAY,
    CAMILA,
    CUSTOMERS,
    FERNANDA,
    JAVIER,
    LUCIA,
    PATRICIA,
    RAFAEL,
    TOMAS,
)
from devkit.demo.rpc import Refused, Session
from devkit.demo.story import BUTTON, Told
from devkit.simulator.client import Simulator

SECRETS = ("token", "webhook_key", "webhook_secret", "whatsapp_security_key")
FAULT = 131000  # the code with which the simulator failed once
AD_ORIGIN = ("Instagram", "Click-to-WhatsApp ad", people.AD["headline"])


@dataclass
class Conversation:
    """A customer's conversation, its lead, and what is known of both."""

    channel: dict
    lead: dict
    messages: list[dict]
    calls: int = 0
    reasons: list[str] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.lead["user_id"][1] if self.lead.get("user_id") else ""


@dataclass
class Facts:
    """All that the expectations look at, read once."""

    told: Told
    conversations: dict[str, list[Conversation]]  # by the customer's name
    leads: list[dict]
    rows: dict[str, dict]  # queue rows by the customer's name
    row_count: int
    outbox: list[dict]
    seen: list[str]  # messages of which the customers know that they are read
    deliveries: list[dict]
    events: list[dict]
    refused_count: int
    attachments: dict[int, dict]
    inboxes: dict[str, set[str]]  # login -> customers in the inbox
    secrets: list[str]  # what a salesperson could read and should not
    log: list[str]  # loud lines of Odoo's log

    def of(self, who: people.Customer) -> Conversation:
        """The customer's only conversation. Raises LookupError."""
        found = self.conversations.get(who.name, [])
        if len(found) != 1:
            raise LookupError(f"{who.name} has {len(found)} conversations")
        return found[0]

    def everybody(self) -> list[Conversation]:
        return [self.of(who) for who in CUSTOMERS]


# ------------------------------------------------------------------- looking


class Looker:
    """Reads Odoo as administrator, and as each salesperson; and the simulator."""

    def __init__(
        self,
        admin: Session,
        log_in: Callable[[str], Session],
        simulator: Simulator,
        gateway: Gateway,
    ):
        self._admin, self._log_in = admin, log_in
        self._simulator, self._gateway = simulator, gateway

    def look(self, told: Told, log: Path) -> Facts:
        """All facts after the story."""
        loud = loud_lines(log)  # before anything forbidden is tried
        leads = self._leads()
        conversations = self._conversations({lead["id"]: lead for lead in leads})
        outbox = self._simulator.outbox()
        refused = self._admin.read(
            "mail.gateway", [("id", "=", self._gateway.id)], "whatsapp_refused_count"
        )
        return Facts(
            told=told,
            conversations=conversations,
            leads=leads,
            rows=self._rows(told),
            row_count=self._admin.count("whatsapp.message.queue", []),
            outbox=[call for call in outbox if call["outcome"] != "read"],
            seen=[
                call["payload"]["message_id"]
                for call in outbox
                if call["outcome"] == "read"
            ],
            deliveries=self._simulator.deliveries(),
            events=self._admin.read(
                "whatsapp.webhook.event", [], "key", "kind", "state", "error"
            ),
            refused_count=refused[0]["whatsapp_refused_count"],
            attachments=self._attachments(conversations),
            inboxes={who.login: self._inbox(who.login) for who in people.SALESPEOPLE},
            secrets=self._secrets(people.SALESPEOPLE[0].login),
            log=loud,
        )

    def _leads(self) -> list[dict]:
        return self._admin.read(
            "crm.lead",
            [],
            *("name", "user_id", "team_id", "phone_sanitized", "phone"),
            *("source_id", "medium_id", "country_id", "contact_name"),
            *("campaign_id", "whatsapp_match_reason", "whatsapp_assign_reason"),
            context={"lang": "en_US", "active_test": False},
        )

    def _conversations(self, leads: dict[int, dict]) -> dict[str, list[Conversation]]:
        channels = self._admin.read(
            "discuss.channel",
            [("gateway_id", "=", self._gateway.id)],
            *("name", "lead_id", "whatsapp_phone", "whatsapp_username"),
            context={"active_test": False},
        )
        found: dict[str, list[Conversation]] = {}
        for channel in channels:
            lead = leads.get(channel["lead_id"][0]) if channel["lead_id"] else None
            talk = Conversation(channel, lead or {}, self._messages(channel["id"]))
            if lead:
                talk.calls = self._calls(lead["id"])
                reasons = lead["whatsapp_match_reason"], lead["whatsapp_assign_reason"]
                talk.reasons = [reason for reason in reasons if reason]
            found.setdefault(channel["name"], []).append(talk)
        return found

    def _messages(self, channel_id: int) -> list[dict]:
        return self._admin.read(
            "mail.message",
            [
                ("model", "=", "discuss.channel"),
                ("res_id", "=", channel_id),
                ("message_type", "=", "comment"),
            ],
            *("body", "preview", "whatsapp_message_id", "attachment_ids", "author_id"),
        )

    def _calls(self, lead_id: int) -> int:
        return self._admin.count(
            "mail.activity",
            [
                ("res_model", "=", "crm.lead"),
                ("res_id", "=", lead_id),
                ("activity_type_id.icon", "=", "fa-phone"),
            ],
        )

    def _rows(self, told: Told) -> dict[str, dict]:
        fields = ("state", "delivery", "attempts", "error_code", "wamid", "uuid")
        return {
            name: self._admin.read(
                "whatsapp.message.queue", [("id", "=", answer.row_id)], *fields
            )[0]
            for name, answer in told.answers.items()
        }

    def _attachments(self, conversations: dict) -> dict[int, dict]:
        ids = [
            attachment
            for talks in conversations.values()
            for talk in talks
            for message in talk.messages
            for attachment in message["attachment_ids"]
        ]
        found = self._admin.read(
            "ir.attachment", [("id", "in", ids)], "mimetype", "datas", "name"
        )
        return {attachment["id"]: attachment for attachment in found}

    def _inbox(self, login: str) -> set[str]:
        """Whose conversations a salesperson finds in the inbox."""
        channels = self._log_in(login).read(
            "discuss.channel",
            [("channel_type", "=", "gateway")],
            *("name", "whatsapp_user_id"),
        )
        return {channel["name"] for channel in channels}

    def _secrets(self, login: str) -> list[str]:
        """The secrets that a salesperson can read."""
        session = self._log_in(login)
        doors = [("mail.gateway", name) for name in SECRETS]
        doors.append(("discuss.channel", "gateway_token"))
        return [
            f"{model}.{name}" for model, name in doors if _opens(session, model, name)
        ]


def _opens(session: Session, model: str, name: str) -> bool:
    """Whether the field can be read, or guessed by searching."""
    attempts = (
        lambda: any(row.get(name) for row in session.read(model, [], name)),
        lambda: session.count(model, [(name, "!=", False)]) > 0,
    )
    for attempt in attempts:
        try:
            if attempt():
                return True
        except Refused as refusal:
            if refusal.kind not in ("AccessError", "ValueError"):
                raise
    return False


def loud_lines(log: Path) -> list[str]:
    """The warnings and errors of Odoo's log."""
    with open(log, errors="replace") as lines:
        found = [LINE.match(line.rstrip()) for line in lines]
    return [
        f"{line['level']} {line['logger']}: {line['text']}"
        for line in found
        if line and line["level"] in LOUD
    ]


# ------------------------------------------------------------------- judging


def _one_lead_each(facts: Facts) -> str:
    leads = [talk.channel["lead_id"] for talk in facts.everybody()]
    if not all(leads):
        return "a conversation has no lead"
    if len(facts.conversations) != len(CUSTOMERS):
        return f"conversations of {sorted(facts.conversations)}"
    if len({lead[0] for lead in leads}) != len(CUSTOMERS):
        return "two persons share a lead"
    if len(facts.leads) != len(CUSTOMERS) + 1:  # and what was sold before
        return f"there are {len(facts.leads)} leads"
    return ""


def _known_lead(facts: Facts) -> str:
    talk = facts.of(RAFAEL)
    if talk.lead.get("id") != facts.told.known_lead:
        return f"it is on {talk.lead.get('name')}"
    if talk.owner != people.KNOWN_LEAD_OWNER.name:
        return f"it belongs to {talk.owner} now"
    return ""


def _new(facts: Facts) -> list[Conversation]:
    return [facts.of(who) for who in CUSTOMERS if who is not RAFAEL]


def _origin(facts: Facts) -> str:
    for talk in _new(facts):
        by_ad = talk is facts.of(CAMILA)
        wanted = AD_ORIGIN if by_ad else ("WhatsApp", "WhatsApp", "")
        found = tuple(
            talk.lead[name][1] if talk.lead[name] else ""
            for name in ("source_id", "medium_id", "campaign_id")
        )
        if found != wanted:
            return f"{talk.lead['name']}: {found}"
    return ""


def _seller(facts: Facts) -> str:
    talk = facts.of(PATRICIA)
    if talk.lead["id"] == facts.told.sale:
        return "the sale of then was opened again"
    return "" if talk.owner == people.SELLER.name else f"it belongs to {talk.owner}"


def _away(facts: Facts) -> str:
    for talk in facts.everybody():
        if talk.owner == AWAY.name:
            return f"has {talk.lead['name']}"
    told = [talk for talk in _by_turn(facts) if AWAY.name in " ".join(talk.reasons)]
    return "" if len(told) == len(_by_turn(facts)) else "not every reason says so"


def _phones(facts: Facts) -> str:
    for who in CUSTOMERS:
        talk = facts.of(who)
        for found in (talk.channel["whatsapp_phone"], talk.lead["phone_sanitized"]):
            if (found or None) != who.e164:
                return f"{who.name}: {found} instead of {who.e164}"
    return ""


def _by_turn(facts: Facts) -> list[Conversation]:
    return [talk for talk in _new(facts) if talk is not facts.of(PATRICIA)]


def _fair(facts: Facts) -> str:
    turns = Counter({who.name: 0 for who in people.SALESPEOPLE})
    for talk in _by_turn(facts):
        turns[talk.owner] += 1
    if set(turns) - {who.name for who in people.SALESPEOPLE}:
        return f"leads of {dict(turns)}"
    if max(turns.values()) - min(turns.values()) > 1:
        return f"leads of {dict(turns)}"
    return ""


def _calls(facts: Facts) -> str:
    """A call is asked for; an answer in the chat completes it."""
    wrong = [
        who.name
        for who in CUSTOMERS
        if facts.of(who).calls != (who.name not in facts.told.answers)
    ]
    return f"not so for {', '.join(wrong)}" if wrong else ""


def _complete(facts: Facts) -> str:
    """Every message of every customer once, in order, and nothing besides."""
    for who in CUSTOMERS:
        received = [m for m in facts.of(who).messages if m["whatsapp_message_id"]]
        texts = [message["preview"] for message in received]
        written = facts.told.written[who.name]
        shown = len(texts) == len(written) and all(
            text in found for text, found in zip(written, texts, strict=True)
        )
        if not shown:
            return f"{who.name} wrote {written}, Odoo shows {texts}"
    return ""


def _doubled(facts: Facts) -> str:
    wamid = facts.told.doubled
    events = [event for event in facts.events if event["key"] == f"message:{wamid}"]
    shown = [
        message
        for message in facts.of(CAMILA).messages
        if message["whatsapp_message_id"] == wamid
    ]
    twins = [item for item in facts.deliveries if item["types"] == ["text"]]
    if len(twins) != sum(map(len, _texts(facts))) + 1:
        return f"Meta made {len(twins)} deliveries of texts"
    if len(events) != 1 or len(shown) != 1:
        return f"{len(events)} events, {len(shown)} messages"
    return ""


def _texts(facts: Facts) -> list[list[str]]:
    return [
        texts
        for name, texts in facts.told.written.items()
        if name not in (FERNANDA.name, TOMAS.name)  # a picture, a button
    ]


def _picture(facts: Facts) -> str:
    files = [i for m in facts.of(FERNANDA).messages for i in m["attachment_ids"]]
    if len(files) != 1:
        return f"there are {len(files)} files"
    file = facts.attachments[files[0]]
    if not file["mimetype"].startswith("image/"):
        return f"it is {file['mimetype']}"
    if base64.b64decode(file["datas"] or "") != facts.told.picture:
        return "its content is another"
    return ""


def _button(facts: Facts) -> str:
    texts = [message["preview"] for message in facts.of(TOMAS).messages]
    return "" if any(BUTTON in text for text in texts) else f"it shows {texts}"


def _sends(facts: Facts, who: people.Customer) -> list[dict]:
    """The calls of the send endpoint for the answer to one person."""
    mark = facts.rows[who.name]["uuid"]
    return [
        call
        for call in facts.outbox
        if call["payload"].get("biz_opaque_callback_data") == mark
    ]


def _without_number(facts: Facts) -> str:
    calls = _sends(facts, CAMILA)
    payload = calls[0]["payload"] if len(calls) == 1 else {}
    if not payload.get("recipient") or "to" in payload:
        return f"{len(calls)} sends, addressed by {sorted(payload)}"
    return _delivery(facts, CAMILA, "delivered", 1)


def _delivery(facts: Facts, who: people.Customer, wanted: str, attempts: int) -> str:
    row = facts.rows[who.name]
    found = (row["state"], row["delivery"], row["attempts"])
    return "" if found == ("sent", wanted, attempts) else f"it is {found}"


def _retry(facts: Facts) -> str:
    calls = _sends(facts, JAVIER)
    outcomes = [(call["outcome"], call["code"]) for call in calls]
    if outcomes != [("refused", FAULT), ("accepted", None)]:
        return f"Meta saw {outcomes}"
    if calls[1]["at"] - calls[0]["at"] < 59:
        return f"after {calls[1]['at'] - calls[0]['at']:.0f} s already"
    return _delivery(facts, JAVIER, "delivered", 2)


def _seen(facts: Facts) -> str:
    return "" if facts.told.seen in facts.seen else f"they see {facts.seen}"


def _once(facts: Facts) -> str:
    """One accepted message for each answer, with the words of the salesperson."""
    accepted = [call["text"] for call in facts.outbox if call["outcome"] == "accepted"]
    written = [answer.text for answer in facts.told.answers.values()]
    if Counter(accepted) != Counter(written):
        return f"Meta got {accepted}"
    if facts.row_count != len(written):
        return f"the queue has {facts.row_count} rows"
    return ""


def _nothing_refused(facts: Facts) -> str:
    refused = [
        call["code"]
        for call in facts.outbox
        if call["outcome"] != "accepted" and call["code"] != FAULT
    ]
    if refused:
        return f"Meta refused with {refused}"
    answers = [
        attempt["http"] for item in facts.deliveries for attempt in item["attempts"]
    ]
    if set(answers) != {200} or facts.refused_count:
        return f"Odoo answered {dict(Counter(answers))}"
    return ""


def _events(facts: Facts) -> str:
    states = ("failed", "pending")
    open_ = [event["key"] for event in facts.events if event["state"] in states]
    ignored = [
        event["key"]
        for event in facts.events
        if event["state"] == "ignored" and event["kind"] in ("message", "status")
    ]
    return f"not so: {open_ + ignored}" if open_ + ignored else ""


def _inboxes(facts: Facts) -> str:
    for who in people.SALESPEOPLE:
        own = {name for name, talks in facts.conversations.items()
               if talks[0].owner == who.name}  # fmt: skip
        if facts.inboxes[who.login] != own:
            return (
                f"{who.name} sees {sorted(facts.inboxes[who.login])}, not {sorted(own)}"
            )
    return ""


def _secrets(facts: Facts) -> str:
    return f"can read {', '.join(facts.secrets)}" if facts.secrets else ""


def _log(facts: Facts) -> str:
    if not facts.log:
        return ""
    return f"{len(facts.log)} lines, the first: {facts.log[0]}"


EXPECTATIONS: dict[str, Callable[[Facts], str]] = {
    "each of the seven persons has one conversation and one lead": _one_lead_each,
    f"{RAFAEL.name} is on the lead that was known in another spelling": _known_lead,
    "new leads say that they came by WhatsApp, or by which ad": _origin,
    "every number is normalised, whatever Meta calls it": _phones,
    "the new leads went to the three salespeople in turn": _fair,
    f"{AWAY.name} is on leave and got none, and the reasons say so": _away,
    f"{PATRICIA.name} is again with {people.SELLER.name}, who sold to her before": (
        _seller
    ),
    "each salesperson finds the own conversations in the inbox, no others": _inboxes,
    "each lead asks for one call, until it is answered in the chat": _calls,
    "no message is lost, doubled or out of order": _complete,
    "what Meta delivered twice is there once": _doubled,
    f"the picture of {FERNANDA.name} is at its message": _picture,
    f"the button that {TOMAS.name} pressed can be read": _button,
    f"the answer to {LUCIA.name} was read": lambda facts: _delivery(
        facts, LUCIA, "read", 1
    ),
    f"{CAMILA.name} was answered without a phone number": _without_number,
    f"the answer to {JAVIER.name} failed once and arrived a minute later": _retry,
    f"{LUCIA.name} sees that her last message was read": _seen,
    "Meta took each answer exactly once": _once,
    "nothing else was refused, on either side": _nothing_refused,
    "all that Meta delivered is dealt with": _events,
    "a salesperson cannot read a secret of the gateway": _secrets,
    "Odoo's log has no warning and no error": _log,
}


@dataclass(frozen=True)
class Verdict:
    """An expectation, and what is wrong with it; nothing if it holds."""

    title: str
    problem: str

    @property
    def holds(self) -> bool:
        return not self.problem


def judge(facts: Facts) -> list[Verdict]:
    """Every expectation's verdict; one that cannot be judged does not hold."""
    return [
        Verdict(title, _judged(check, facts)) for title, check in EXPECTATIONS.items()
    ]


def _judged(check: Callable[[Facts], str], facts: Facts) -> str:
    try:
        return check(facts)
    except (LookupError, TypeError, Failure) as error:
        return f"cannot be told: {error or type(error).__name__}"
