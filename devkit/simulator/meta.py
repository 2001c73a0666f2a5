# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta in one object: takes sends, plays customers, reports what happens."""

import asyncio
import datetime
import hashlib
import hmac
from collections import Counter, defaultdict, deque

from . import customer, media, payloads, phones, send, templates
from .background import Background
from .clock import Clock, Ids
from .errors import Refusal
from .faults import STATUS_FAULTS, Fault, Faults, Settings, facts
from .payloads import Update
from .state import (
    Account,
    App,
    Attempt,
    Media,
    Number,
    Person,
    Received,
    Sent,
    State,
    Template,
)
from .webhooks import Webhooks

BEFORE_ANSWER_LIMIT = 10  # seconds that a send waits for its statuses to be delivered
THREE_DAYS = 3 * 86400
ECHO = "smb_message_echoes"


class NotThere(LookupError):
    """The control door named something that does not exist."""


class Meta:
    """The state of the world and everything that can happen in it."""

    def __init__(self, clock: Clock | None = None, seed: int | str | None = None):
        self.clock = clock or Clock()
        self.seed = seed
        self.base_url = ""
        self.background = Background()
        self.webhooks: Webhooks | None = None
        self._begin()

    def _begin(self) -> None:
        self.ids = Ids(self.seed)
        self.state = State()
        self.settings = Settings()
        self.faults = Faults()
        self._recent: dict[tuple, deque] = defaultdict(deque)
        self._service_messages: Counter = Counter()

    async def start(self) -> None:
        self.webhooks = Webhooks(
            self.state,
            self.settings,
            self.faults,
            self.clock,
            self.ids,
            self.background,
        )
        await self.webhooks.start()

    async def stop(self) -> None:
        await self.background.cancel()
        if self.webhooks:
            await self.webhooks.stop()

    async def reset(self) -> None:
        """Forget everything: records, faults, settings, clock offset."""
        await self.stop()
        self.clock.offset = 0.0
        self._begin()
        await self.start()

    # -- making things -----------------------------------------------------------------

    def new_app(self, **values) -> App:
        app = App(
            id=values.pop("id", None) or self.ids.number(15),
            name=values.pop("name", "Simulated app"),
            secret=values.pop("secret", None) or self.ids.hexadecimal(32),
            token=values.pop("token", None) or self.ids.token(),
            verify_token=values.pop("verify_token", None) or self.ids.hexadecimal(16),
            **values,
        )
        self.state.apps[app.id] = app
        return app

    def new_account(self, preload: bool = True, **values) -> Account:
        account = Account(
            id=values.pop("id", None) or self.ids.number(15),
            name=values.pop("name", "Simulated account"),
            business_id=values.pop("business_id", None) or self.ids.number(15),
            **values,
        )
        self.state.accounts[account.id] = account
        if preload:
            for template in templates.preload(account.id, self.ids.number):
                self.state.templates[template.id] = template
        return account

    def new_number(self, **values) -> Number:
        number = Number(
            id=values.pop("id", None) or self.ids.number(15),
            phone=phones.digits(values.pop("phone", None)) or "34910000000",
            **values,
        )
        self.state.numbers[number.id] = number
        return number

    def new_person(self, **values) -> Person:
        for name in ("phone", "wa_id"):
            if values.get(name):
                values[name] = phones.digits(values[name])
        identifier = values.pop("id", None) or f"p{len(self.state.persons) + 1}"
        person = Person(id=identifier, **values)
        self.state.persons[person.id] = person
        return person

    def new_template(self, **values) -> Template:
        template = Template(id=values.pop("id", None) or self.ids.number(16), **values)
        self.state.templates[template.id] = template
        return template

    def keep_file(
        self,
        account_id: str,
        mime_type: str,
        content: bytes,
        filename: str | None = None,
        lifetime: float = media.UPLOAD_LIFETIME,
    ) -> Media:
        item = Media(
            self.ids.number(16),
            account_id,
            mime_type,
            content,
            self.clock.now(),
            lifetime,
            filename,
        )
        self.state.media[item.id] = item
        return item

    def file_url(self, item: Media) -> str:
        """A download address that works for five (simulated) minutes."""
        expires = self.clock.seconds() + media.URL_LIFETIME
        signature = self.url_signature(item.id, expires)
        return (
            f"{self.base_url}/whatsapp_business/attachments/"
            f"?mid={item.id}&ext={expires}&hash={signature}"
        )

    def url_signature(self, media_id: str, expires: int) -> str:
        message = f"{media_id}/{expires}".encode()
        return hmac.new(b"attachments", message, hashlib.sha256).hexdigest()[:32]

    # -- finding -----------------------------------------------------------------------

    def find_number(self, number_id: str | None = None) -> Number:
        """By id or phone; without either the first number. Raises NotThere."""
        numbers = self.state.numbers
        if number_id is None and numbers:
            return next(iter(numbers.values()))
        if number_id in numbers:
            return numbers[number_id]
        wanted = phones.digits(number_id)
        for number in numbers.values():
            if wanted and number.phone == wanted:
                return number
        raise NotThere(f"no number {number_id!r}")

    def find_person(self, token: str) -> Person:
        """By any name; an unknown phone number becomes a person. Raises NotThere."""
        person = self.state.person(str(token))
        if person:
            return person
        if str(token).lstrip("+").replace(" ", "").isdigit():
            return self.new_person(phone=token)
        raise NotThere(f"no person {token!r}")

    def business_of(self, number: Number) -> str:
        return self.state.account_of(number).business_id

    def tokens(self, person: Person | None, number: Number | None = None) -> set:
        """Every string by which a fault may name the person."""
        if person is None:
            return set()
        named = {person.id, person.name, person.username, person.parent_bsuid}
        if number:
            named.add(person.user_id(self.business_of(number)))
        return {token for token in named | person.numbers() if token}

    def shows_phone(self, person: Person) -> bool:
        return bool(person.user) and not (
            person.hide_phone or self.settings.hide_phones
        )

    # -- the business sends ------------------------------------------------------------

    def accept(self, payload, number: Number) -> tuple[Sent, Refusal | None]:
        """Take a message; raises Refusal. A late refusal is returned beside it."""
        kind = _form(payload)
        now = self.clock.now()
        person, by_phone = send.recipient(
            payload, number, self.state, self._unknown_person
        )
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

    def _unknown_person(self, number: str) -> Person | None:
        if self.settings.unknown_persons == "create":
            return self.new_person(phone=number, name=f"Person {number[-4:]}")
        return None

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
        if sent.by_phone:
            contact = {"input": sent.payload["to"], "wa_id": person.user}
        else:
            contact = {
                "input": sent.payload["recipient"],
                "user_id": person.user_id(self.business_of(number)),
            }
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
        update = self._update(number, value, name, person)
        await self.webhooks.publish([update])
        return entry

    def _update(
        self, number: Number, value: dict, kind: str, person: Person | None
    ) -> Update:
        return Update(
            number.account_id,
            "messages",
            value,
            number,
            kind,
            person,
            tokens=self.tokens(person, number),
        )

    # -- the customer acts -------------------------------------------------------------

    def compose(self, spec: dict) -> Update:
        """What Meta would report of one action of a customer (see `customer`)."""
        number = self.find_number(spec.get("number"))
        person = self.find_person(spec["person"])
        if spec.get("type") == "system":
            return self._system_message(spec, number, person)
        message = self._head(spec, person, number)
        message |= customer.message(spec, self._keeper(number))
        if context := self._context(spec, number):
            message["context"] = context
        message = _shaped(message, spec)
        self._remember(message, spec, number, person)
        card = payloads.contact(
            person, self.business_of(number), self.shows_phone(person)
        )
        value = payloads.value(number, contacts=[card], messages=[message])
        value |= spec.get("value", {})
        return self._update(number, value, message["type"], person)

    def _head(self, spec: dict, person: Person, number: Number) -> dict:
        moment = spec.get("timestamp")
        if moment is None:
            moment = self.clock.seconds() - spec.get("age", 0)
        return payloads.sender(
            person, self.business_of(number), self.shows_phone(person)
        ) | {
            "id": spec.get("wamid") or self.ids.wamid(),
            "timestamp": str(int(moment)),
        }

    def _keeper(self, number: Number):
        def keep(mime_type, content, filename=None, lost=False):
            item = self.keep_file(
                number.account_id, mime_type, content, filename, media.RECEIVED_LIFETIME
            )
            url = self.file_url(item) if self.settings.media_url else None
            if lost:
                del self.state.media[item.id]
            return item, url

        return keep

    def _context(self, spec: dict, number: Number) -> dict | None:
        if spec.get("forwarded"):
            return {"forwarded": True}
        if spec.get("frequently_forwarded"):
            return {"frequently_forwarded": True}
        wamid = spec.get("reply_to")
        if not wamid:
            return None
        received = self.state.received.get(wamid)
        if received is None:
            return {"from": number.phone, "id": wamid}
        quoted = self.state.persons[received.person_id]
        head = payloads.sender(
            quoted, self.business_of(number), self.shows_phone(quoted)
        )
        return head | {"id": wamid}

    def _remember(self, message, spec, number: Number, person: Person) -> None:
        wamid, moment = message.get("id"), int(message.get("timestamp") or 0)
        if wamid:
            self.state.received[wamid] = Received(
                wamid, number.id, person.id, message, moment
            )
        if message.get("type") in customer.NOT_OPENING:
            return
        key = (number.id, person.id)
        self.state.windows[key] = max(moment, self.state.windows.get(key, 0))
        if message.get("referral"):
            self.state.entry_points[key] = moment + THREE_DAYS

    def _system_message(self, spec: dict, number: Number, person: Person) -> Update:
        """A changed phone (the BSUID changes too), or a changed BSUID alone."""
        business = self.business_of(number)
        kind = spec.get("system_type", "user_changed_number")
        show = self.shows_phone(person) and kind != "user_changed_user_id"
        message = {"from": person.user} if show else {}
        message |= {
            "id": spec.get("wamid") or self.ids.wamid(),
            "timestamp": str(int(spec.get("timestamp") or self.clock.seconds())),
            "type": "system",
        }
        before, old_phone = person.user_id(business), person.user
        if kind in ("user_changed_number", "user_changed_user_id"):
            self._renew(person, spec)
        system = {"type": kind, "user_id": person.user_id(business)}
        changed = (before, system["user_id"])
        if show:
            system["wa_id"] = person.user
            changed = (old_phone, person.user)
        if system["user_id"] != before:
            system["previous_user_id"] = before
        default = f"User {person.name} changed from {changed[0]} to {changed[1]}"
        system["body"] = spec.get("body", default)
        message["system"] = spec.get("content", system)
        message = _shaped(message, spec)
        value = payloads.value(number, messages=[message]) | spec.get("value", {})
        return self._update(number, value, "system", person)

    def _renew(self, person: Person, spec: dict) -> None:
        if spec.get("new_phone"):
            person.phone = phones.digits(spec["new_phone"])
            person.wa_id = None
            person.aliases = []
        person.generation += 1
        person.bsuid = spec.get("new_bsuid")
        person.bsuids = {}

    def compose_echo(self, spec: dict) -> Update:
        """What staff wrote on the phone of a coexistence number."""
        number = self.find_number(spec.get("number"))
        person = self.find_person(spec["person"])
        business, show = self.business_of(number), self.shows_phone(person)
        echo = {"from": number.phone}
        echo |= payloads.sender(person, business, show, prefix="to")
        head = self._head(spec, person, number)
        echo |= {"id": head["id"], "timestamp": head["timestamp"]}
        echo |= customer.message(spec, self._keeper(number))
        value = payloads.value(
            number,
            contacts=[payloads.contact(person, business, show)],
            message_echoes=[_shaped(echo, spec)],
        )
        return Update(
            number.account_id,
            ECHO,
            value,
            number,
            echo["type"],
            person,
            self.clock.seconds(),
            self.tokens(person, number),
        )

    def compose_change(self, account_id: str, field: str, value: dict) -> Update:
        """Any other webhook field of an account."""
        if account_id not in self.state.accounts:
            raise NotThere(f"no account {account_id!r}")
        return Update(account_id, field, value, type=field, time=self.clock.seconds())

    def template_change(self, template: Template) -> Update:
        """The webhook of a template whose status was changed."""
        return self.compose_change(
            template.account_id,
            "message_template_status_update",
            {
                "event": template.status,
                "message_template_id": int(template.id),
                "message_template_name": template.name,
                "message_template_language": template.language.replace("_", "-"),
                "message_template_category": template.category,
                "reason": template.rejected_reason,
            },
        )


def _form(payload) -> str:
    """`send.check_form`; a structure it cannot walk is an invalid parameter."""
    try:
        return send.check_form(payload)
    except (AttributeError, KeyError, TypeError) as error:
        raise Refusal(100, f"Unexpected structure of the payload: {error}") from error


def _shaped(message: dict, spec: dict) -> dict:
    """`omit` removes keys and `raw` adds them: for payloads nobody foresaw."""
    kept = {k: v for k, v in message.items() if k not in spec.get("omit", ())}
    return kept | spec.get("raw", {})


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
