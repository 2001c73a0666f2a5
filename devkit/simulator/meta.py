# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta: takes the messages of businesses and reports what becomes of them."""

import asyncio
import datetime
from collections import Counter, defaultdict, deque

from . import actions, payloads, send, templates
from .background import Background
from .clock import Clock
from .errors import Refusal
from .faults import STATUS_FAULTS, Fault, facts
from .state import Attempt, Number, Person, Sent
from .webhooks import Webhooks
from .world import World

BEFORE_ANSWER_LIMIT = 10  # seconds that a send waits for its statuses to be delivered


class Meta(World):
    """The world, and what Meta does in it."""

    def __init__(self, clock: Clock | None = None, seed: int | str | None = None):
        self.background = Background()
        self._hanging = Background()  # calls that get no answer: nobody waits for them
        self.webhooks: Webhooks | None = None
        super().__init__(clock, seed)

    def begin(self) -> None:
        super().begin()
        self._recent: dict[tuple, deque] = defaultdict(deque)
        self._service_messages: Counter = Counter()

    async def start(self) -> None:
        self.webhooks = Webhooks(self, self.background)
        await self.webhooks.start()

    async def hang(self, seconds: float) -> None:
        """Wait for so long, or until the simulator stops or is reset."""
        await asyncio.wait({self._hanging.spawn(asyncio.sleep(seconds))})

    async def stop(self) -> None:
        await self._hanging.cancel()
        await self.background.cancel()
        if self.webhooks:
            await self.webhooks.stop()

    async def reset(self) -> None:
        """Forget everything: records, faults, settings, clock offset."""
        await self.stop()
        self.clock.offset = 0.0
        self.begin()
        await self.start()

    # -- the business sends ------------------------------------------------------------

    def accept(self, payload, number: Number) -> tuple[Sent, Refusal | None]:
        """Take a message; raises Refusal. A late refusal is returned beside it."""
        kind = _form(payload)
        now = self.clock.now()
        person, by_phone = send.recipient(payload, number, self.state, self.settings)
        if isinstance(person, str):
            person = self._unknown_person(person)
        self._limit_rate(number, person, now)
        late = None
        try:
            send.check_circumstances(
                payload, kind, person, by_phone, number, self.state, now
            )
        except Refusal as refusal:
            if refusal.code not in self.settings.late_codes:
                raise
            late = refusal
        sent = Sent(
            wamid=self.ids.wamid(),
            number_id=number.id,
            person_id=person.id,
            type=kind,
            payload=payload,
            by_phone=by_phone,
            callback_data=payload.get("biz_opaque_callback_data"),
            timestamp=int(now),
        )
        sent.pricing = None if late else self._pricing(sent, number, person, now)
        self.state.sent[sent.wamid] = sent
        return sent, late

    def _unknown_person(self, number: str) -> Person:
        there = self.settings.unknown_persons == "create"
        name = f"Person {number[-4:]}"
        return self.new_person(phone=number, name=name, on_whatsapp=there)

    def _limit_rate(self, number: Number, person: Person, now: float) -> None:
        pair = self.settings.pair_limit
        limits = (
            ((number.id,), self.settings.throughput, 1.0, 130429),
            (
                (number.id, person.id),
                pair and pair["messages"],
                pair and pair.get("seconds", 6),
                131056,
            ),
        )
        for key, most, seconds, code in limits:
            if most is None:
                continue
            recent = self._recent[key]
            while recent and recent[0] <= now - seconds:
                recent.popleft()
            if len(recent) >= most:
                raise Refusal(code)
        for key, most, _seconds, _code in limits:
            if most is not None:
                self._recent[key].append(now)

    def _pricing(self, sent: Sent, number: Number, person: Person, now: float) -> dict:
        category, kind = "service", "regular"
        if sent.type == "template":
            template, _, _ = send.find_template(
                sent.payload["template"], number, self.state
            )
            category = template.category.lower() if template else "utility"
        elif self._free_service_message(number, now):
            kind = "free_customer_service"
        if self.state.entry_points.get((number.id, person.id), 0) > now:
            kind = "free_entry_point"
        return {
            "billable": kind == "regular",
            "pricing_model": "PMP",
            "type": kind,
            "category": category,
        }

    def _free_service_message(self, number: Number, now: float) -> bool:
        """The first thousand service messages of a number in a month are free."""
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        key = (number.id, moment.year, moment.month)
        self._service_messages[key] += 1
        return self._service_messages[key] <= self.settings.free_service_messages

    def answer(self, sent: Sent) -> dict:
        """The body of 200: which person, which wamid."""
        person, number = self._people_of(sent)
        contact = {"input": sent.payload.get("to") or sent.payload["recipient"]}
        if sent.by_phone:
            contact["wa_id"] = person.user
        else:
            contact["user_id"] = person.user_id(self.business_of(number))
        message = {"id": sent.wamid}
        if sent.type == "template":
            template, _, _ = send.find_template(
                sent.payload["template"], number, self.state
            )
            if template and template.message_status:
                message["message_status"] = template.message_status
        return {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [message],
        }

    def _people_of(self, sent: Sent) -> tuple[Person, Number]:
        return self.state.persons[sent.person_id], self.state.numbers[sent.number_id]

    def text_of(self, attempt: Attempt) -> str:
        """What the customer reads: body, caption or the filled template."""
        content = attempt.payload.get(attempt.payload.get("type", "text"))
        if not isinstance(content, dict):
            return ""
        if attempt.payload.get("type") == "template" and attempt.wamid:
            number = self.state.numbers[attempt.number_id]
            template, _, _ = send.find_template(content, number, self.state)
            return templates.rendered(template, content) if template else ""
        body = content.get("body") or content.get("caption") or ""
        return str(body.get("text", "")) if isinstance(body, dict) else str(body)

    # -- statuses ----------------------------------------------------------------------

    async def report(self, sent: Sent, late: Refusal | None) -> None:
        """Send the statuses of a message; returns early unless a fault says wait."""
        if not self.settings.statuses:
            return
        person, number = self._people_of(sent)
        known = facts(
            number=number.id, type=sent.type, person=self.tokens(person, number)
        )
        fault = self.faults.take("statuses", STATUS_FAULTS, known)
        plan = status_plan(
            self._usual_statuses(sent, person, failed=late is not None), fault
        )
        failure = late or _failure(fault)
        pause = self.settings.status_delay
        if fault:
            pause = fault.get("delay", pause)
        work = self.background.spawn(self._statuses(sent, plan, failure, pause))
        if fault and fault.get("before_answer"):
            await asyncio.wait({work}, timeout=BEFORE_ANSWER_LIMIT)

    def _usual_statuses(self, sent: Sent, person: Person, failed: bool) -> list[str]:
        if failed:
            return ["failed"]
        if sent.type == "reaction" or not person.reachable:
            return ["sent"]
        reads = self.settings.reads if person.reads is None else person.reads
        plan = ["sent"]
        if not (person.chat_open and reads):
            plan.append("delivered")
        if reads:
            plan.append("read")
            if sent.payload.get("audio", {}).get("voice"):
                plan.append("played")
        return plan

    async def _statuses(
        self, sent: Sent, plan: list[str], failure: Refusal | None, pause: float
    ) -> None:
        for name in plan:
            await asyncio.sleep(pause)
            error = failure or Refusal(131000)
            await self.send_status(sent, name, error if name == "failed" else None)

    async def send_status(
        self,
        sent: Sent,
        name: str,
        failure: Refusal | None = None,
        timestamp: int | None = None,
    ) -> dict:
        """Report one status of a message; returns the entry of `statuses`."""
        person, number = self._people_of(sent)
        business = self.business_of(number)
        priced = any("pricing" in entry for entry in sent.statuses)
        entry = payloads.status(
            sent.wamid,
            name,
            self.clock.seconds() if timestamp is None else timestamp,
            person,
            business,
            sent.by_phone,
            sent.callback_data,
            pricing=None if priced or name == "failed" else sent.pricing,
            errors=[failure.in_webhook()] if failure else None,
        )
        sent.statuses.append(entry)
        contacts = []
        if name != "failed":
            card = payloads.contact(
                person,
                business,
                show_phone=sent.by_phone or self.shows_phone(person),
                username=name in ("delivered", "read", "played"),
            )
            contacts.append(card)
        value = payloads.value(number, contacts=contacts, statuses=[entry])
        update = actions.report(self, number, value, name, person)
        await self.webhooks.publish([update])
        return entry


def _form(payload) -> str:
    """`send.check_form`; a structure it cannot walk is an invalid parameter."""
    try:
        return send.check_form(payload)
    except (AttributeError, KeyError, TypeError) as error:
        raise Refusal(100, f"Unexpected structure of the payload: {error}") from error


def _failure(fault: Fault | None) -> Refusal | None:
    if fault is None or not fault.get("fail_code"):
        return None
    return Refusal(
        fault.get("fail_code"), fault.get("details"), bare=fault.get("bare", False)
    )


def status_plan(usual: list[str], fault: Fault | None) -> list[str]:
    """The statuses to report, in order, after a 'statuses' fault had its say."""
    if fault is None:
        return usual
    plan = list(fault.get("sequence") or usual)
    if fault.get("fail_code") and "failed" not in plan:
        plan = [name for name in plan if name == "sent"] + ["failed"]
    plan = [name for name in plan if name not in fault.get("missing", ())]
    if fault.get("reverse"):
        plan.reverse()
    return [name for name in plan for _ in range(fault.get("duplicate", 1))]
