# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Everybody and everything there is, with the means to make and find them."""

import hashlib
import hmac

from . import media, phones, templates
from .clock import Clock, Ids
from .faults import Faults, Settings
from .state import Account, App, Media, Number, Person, State, Template


class NotThere(LookupError):
    """The control door named something that does not exist."""


class World:
    """State, clock, ids, settings and faults of one simulator."""

    def __init__(self, clock: Clock | None = None, seed: int | str | None = None):
        self.clock = clock or Clock()
        self.seed = seed
        self.base_url = ""
        self.begin()

    def begin(self) -> None:
        """Forget everything but the address."""
        self.ids = Ids(self.seed)
        self.state = State()
        self.settings = Settings()
        self.faults = Faults(self.seed)

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
        self.state.index(person)
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
        if phones.looks_like(token):
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
