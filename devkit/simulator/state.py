# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Meta would remember: apps, accounts, numbers, persons, messages, files."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from . import phones


@dataclass
class Override:
    """Another callback of one account or number (Meta's webhook override)."""

    callback_url: str
    verify_token: str


@dataclass
class App:
    """A Meta app; one webhook endpoint, one app secret, one system-user token.

    `token_expires_at` and `token_data_expires_at` are Unix times, 0 for never.
    """

    id: str
    name: str
    secret: str
    token: str
    verify_token: str
    callback_url: str | None = None
    fields: list[str] | None = None  # subscribed webhook fields; None means all
    webhook_active: bool = True
    token_type: str = "SYSTEM_USER"
    token_expires_at: int = 0
    token_data_expires_at: int = 0
    token_scopes: list[str] = field(
        default_factory=lambda: [
            "whatsapp_business_management",
            "whatsapp_business_messaging",
        ]
    )
    token_valid: bool = True
    token_subcode: int | None = None  # 458, 460, 463 or 467 of a dead token

    def wants(self, name: str) -> bool:
        wanted = self.fields is None or name in self.fields
        return self.webhook_active and wanted


@dataclass
class Template:
    """A message template; `message_status` is answered when it is sent (pacing)."""

    id: str
    account_id: str
    name: str
    language: str
    category: str = "UTILITY"
    status: str = "APPROVED"
    components: list[dict] = field(default_factory=list)
    parameter_format: str = "POSITIONAL"
    quality_score: str = "UNKNOWN"
    rejected_reason: str = "NONE"
    rejection_info: dict | None = None  # what Meta recommends beside a reason
    message_status: str | None = None
    edited_at: list[float] = field(default_factory=list)  # while it was approved


@dataclass
class Upload:
    """A session of the resumable upload."""

    app_id: str
    kind: str
    size: int
    signature: str
    content: bytes = b""


@dataclass
class Account:
    """A WhatsApp Business Account (messaging account) of one portfolio."""

    id: str
    name: str
    business_id: str
    app_ids: list[str] = field(default_factory=list)  # whose token may act on it
    subscriptions: dict[str, Override | None] = field(default_factory=dict)
    currency: str = "EUR"
    timezone_id: str = "1"
    review_status: str = "APPROVED"


@dataclass
class Number:
    """A business phone number. `allowed_recipients` makes it a test number (131030)."""

    id: str
    account_id: str
    phone: str
    verified_name: str = "Simulated Company"
    quality_rating: str = "GREEN"
    throughput_level: str = "STANDARD"
    messaging_limit: str = "TIER_2K"
    code_verification_status: str = "VERIFIED"
    name_status: str = "APPROVED"
    status: str = "CONNECTED"
    registered: bool = True
    allowed_recipients: list[str] | None = None
    override: Override | None = None

    @property
    def calling_code(self) -> str:
        return phones.calling_code(self.phone)

    @property
    def display(self) -> str:
        code = self.calling_code
        return f"+{code} {self.phone[len(code) :]}"


@dataclass
class Person:
    """Somebody with WhatsApp.

    `phone` is what people dial, `wa_id` what Meta calls them (equal unless given).
    `bsuid` is used towards every portfolio if given, `bsuids` per portfolio, else one
    is derived. `reads`: sends read receipts; `chat_open`: 'read' comes without
    'delivered'; `reachable`: the phone is switched on.
    """

    id: str
    phone: str | None = None
    wa_id: str | None = None
    bsuid: str | None = None
    bsuids: dict[str, str] = field(default_factory=dict)
    parent_bsuid: str | None = None
    username: str | None = None
    name: str = "Simulated Person"
    country: str | None = None
    on_whatsapp: bool = True
    hide_phone: bool = False
    reads: bool | None = None
    chat_open: bool = False
    reachable: bool = True
    marketing_opt_out: bool = False
    aliases: list[str] = field(default_factory=list)
    generation: int = 0  # grows when the phone changes, which renews the BSUID

    @property
    def user(self) -> str | None:
        """The wa_id: what Meta calls this person's phone."""
        return self.wa_id or self.phone

    def user_id(self, business_id: str) -> str:
        """The business-scoped user id towards one portfolio."""
        given = self.bsuids.get(business_id) or self.bsuid
        if given:
            return given
        seed = f"{business_id}/{self.id}/{self.generation}".encode()
        number = int.from_bytes(hashlib.sha256(seed).digest()[:9], "big")
        return f"{self.iso_country}.{number % 10**20:020d}"

    @property
    def iso_country(self) -> str:
        return self.country or phones.country(self.user or "1")

    def numbers(self) -> set[str]:
        """All digits that reach this person."""
        known = [self.phone, self.wa_id, *self.aliases]
        return {s for number in known if number for s in phones.spellings(number)}


@dataclass
class Media:
    """A file that Meta keeps for some days, from an upload or a customer."""

    id: str
    account_id: str
    mime_type: str
    content: bytes
    created: float
    lifetime: float
    filename: str | None = None

    @property
    def sha256(self) -> str:
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


@dataclass
class Received:
    """A message of a customer to one of our numbers."""

    wamid: str
    number_id: str
    person_id: str
    message: dict
    timestamp: int
    read: bool = False
    typing: bool = False


@dataclass
class Sent:
    """A message of the business that Meta accepted."""

    wamid: str
    number_id: str
    person_id: str
    type: str
    payload: dict
    by_phone: bool
    callback_data: str | None
    timestamp: int
    pricing: dict | None = None
    statuses: list[dict] = field(default_factory=list)


@dataclass
class Attempt:
    """One call of the send endpoint, whatever came of it.

    `outcome`: accepted, refused, lost (accepted, but the caller got no answer),
    cut (never accepted, connection cut) or read (mark-as-read call). `at` is when the
    call came, `accepted_at` when the message was taken.
    """

    number: int
    at: float
    number_id: str
    payload: dict
    outcome: str = "refused"
    http: int | None = None
    code: int | None = None
    details: str | None = None
    wamid: str | None = None
    person_id: str | None = None
    accepted_at: float | None = None


class UnknownField(ValueError):
    """A control call named an attribute that the record has not."""


def assign(record, values: dict):
    """Set attributes of a dataclass from JSON; raises UnknownField on a misspelling."""
    known = {item.name for item in fields(record)}
    for name, value in values.items():
        if name not in known:
            kind = type(record).__name__.lower()
            raise UnknownField(f"{kind} has no {name!r}; known: {sorted(known)}")
        setattr(record, name, value)
    return record


class State:
    """Everything the simulator remembers, in dictionaries by id."""

    def __init__(self):
        self.apps: dict[str, App] = {}
        self.accounts: dict[str, Account] = {}
        self.numbers: dict[str, Number] = {}
        self.persons: dict[str, Person] = {}
        self.templates: dict[str, Template] = {}
        self.media: dict[str, Media] = {}
        self.uploads: dict[str, Upload] = {}
        self.handles: dict[str, str] = {}  # of uploaded samples -> type of the file
        self.received: dict[str, Received] = {}
        self.sent: dict[str, Sent] = {}
        self.attempts: list[Attempt] = []
        self.requests: list[dict] = []
        # (number id, person id) -> time of the customer's last message
        self.windows: dict[tuple[str, str], int] = {}
        # (number id, person id) -> time at which the free entry point ends
        self.entry_points: dict[tuple[str, str], float] = {}
        self._by_phone: dict[str, str] = {}
        self._by_bsuid: dict[tuple[str, str], str] = {}

    def app_of_token(self, token: str) -> App | None:
        return next((a for a in self.apps.values() if a.token == token), None)

    def app_of_secret(self, token: str) -> App | None:
        """The app of an app access token, `id|secret`."""
        app_id, _bar, secret = token.partition("|")
        app = self.apps.get(app_id)
        return app if app and app.secret == secret else None

    def account_of(self, number: Number) -> Account:
        return self.accounts[number.account_id]

    def templates_of(self, account_id: str) -> list[Template]:
        return [t for t in self.templates.values() if t.account_id == account_id]

    def numbers_of(self, account_id: str) -> list[Number]:
        return [n for n in self.numbers.values() if n.account_id == account_id]

    def index(self, person: Person) -> None:
        """To be called whenever a person is new or got other numbers."""
        self.persons[person.id] = person
        self._by_phone.update(dict.fromkeys(person.numbers(), person.id))
        for account in self.accounts.values():
            key = (account.business_id, person.user_id(account.business_id))
            self._by_bsuid[key] = person.id

    def person_by_phone(self, number: str) -> Person | None:
        person = self.persons.get(self._by_phone.get(number))
        return person if person and number in person.numbers() else None

    def person_by_bsuid(self, bsuid: str, business_id: str) -> Person | None:
        """By BSUID or parent BSUID towards one portfolio."""
        person = self.persons.get(self._by_bsuid.get((business_id, bsuid)))
        if person and person.user_id(business_id) == bsuid:
            return person
        for person in self.persons.values():
            if bsuid in (person.user_id(business_id), person.parent_bsuid):
                return person
        return None

    def person(self, token: str) -> Person | None:
        """By id, phone, BSUID of any portfolio, username or name: for the door."""
        if token in self.persons:
            return self.persons[token]
        if phones.looks_like(token):
            return self.person_by_phone(phones.digits(token))
        for person in self.persons.values():
            if token in (person.username, person.name, *self._bsuids(person)):
                return person
        return None

    def _bsuids(self, person: Person) -> Iterable[str]:
        for account in self.accounts.values():
            yield person.user_id(account.business_id)
        if person.parent_bsuid:
            yield person.parent_bsuid
