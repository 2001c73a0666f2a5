# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A small client of the simulator's control door, for the demo, tests and the CLI.

simulator = Simulator("http://127.0.0.1:8099")
setup = simulator.setup(app={"callback_url": "http://127.0.0.1:8069/gateway/..."})
ana = simulator.person("+34 600 111 222", name="Ana")
wamid = ana.send_text("Hola")
simulator.wait()
answers = simulator.outbox(person=ana.id, outcome="accepted")
"""

import base64
from pathlib import Path

import requests

DELIVERY_TIME = 60  # seconds that a callback may take, retries aside


class SimulatorError(Exception):
    """The door refused a call; the text says why."""


class Simulator:
    def __init__(self, base_url: str, session: requests.Session | None = None):
        self.base_url = base_url.rstrip("/")
        self._session = session or requests.Session()
        self._session.trust_env = False  # loopback, never through a proxy

    def call(self, method: str, path: str, values=None, timeout=DELIVERY_TIME, **query):
        """The JSON answer of the door; raises SimulatorError."""
        try:
            response = self._session.request(
                method,
                self.base_url + path,
                json=values,
                params={k: v for k, v in query.items() if v is not None},
                timeout=timeout,
            )
        except requests.RequestException as error:
            raise SimulatorError(f"no simulator at {self.base_url}: {error}") from error
        if response.status_code == 200:
            return response.json()
        try:
            problem = response.json()["error"]
        except (ValueError, KeyError):
            problem = f"HTTP {response.status_code}: {response.text[:200]}"
        raise SimulatorError(problem)

    # -- setting the scene -----------------------------------------------------------

    def setup(self, app=None, account=None, number=None) -> dict:
        """{app, account, number}: one of each, linked and subscribed."""
        values = {"app": app or {}, "account": account or {}, "number": number or {}}
        return self.call("POST", "/_control/setup", values)

    def app(self, **values) -> dict:
        return self.call("POST", "/_control/apps", values)

    def account(self, **values) -> dict:
        return self.call("POST", "/_control/accounts", values)

    def number(self, **values) -> dict:
        return self.call("POST", "/_control/numbers", values)

    def template(self, **values) -> dict:
        return self.call("POST", "/_control/templates", values)

    def person(self, phone: str | None = None, number=None, **values) -> "Customer":
        """A customer, made or changed; `number` is the one they write to."""
        if phone:
            values["phone"] = phone
        return Customer(self, self.call("POST", "/_control/persons", values), number)

    def verify(self, app_id: str, **values) -> dict:
        """Meta's verification of a callback: {ok, http, body, challenge, error}."""
        return self.call("POST", f"/_control/apps/{app_id}/verify", values)

    def reset(self) -> None:
        self.call("POST", "/_control/reset", {})

    # -- behaviour -------------------------------------------------------------------

    def settings(self, **values) -> dict:
        return self.call("POST", "/_config", {"settings": values})["settings"]

    def fault(self, fault: str, **values) -> int:
        """Add a fault (see `faults`); returns its id."""
        answer = self.call("POST", "/_config", {"fault": fault} | values)
        return answer["faults"][-1]["id"]

    def faults(self) -> list[dict]:
        return self.call("GET", "/_config")["faults"]

    def clear_faults(self, fault_id: int | None = None) -> None:
        self.call("DELETE", "/_config", id=fault_id)

    def clock(self, **values) -> float:
        """offset=, advance= (seconds) or now= (Unix time); returns the new time."""
        method = "POST" if values else "GET"
        return self.call(method, "/_control/clock", values or None)["now"]

    def wait(self, timeout: float = 10) -> bool:
        """Whether everything under way, retries included, ended in time."""
        answer = self.call(
            "POST", "/_control/wait", {"timeout": timeout}, timeout=timeout + 10
        )
        return answer["idle"]

    # -- what happens ----------------------------------------------------------------

    def play(self, **spec) -> dict:
        """A customer acts: {wamid, payload, deliveries}."""
        return self.call("POST", "/_control/messages", spec)

    def batch(self, messages: list[dict], shape: str = "messages") -> dict:
        values = {"messages": messages, "shape": shape}
        return self.call("POST", "/_control/batch", values)

    def echo(self, **spec) -> dict:
        return self.call("POST", "/_control/echoes", spec)

    def status(self, wamid: str, status: str, **values) -> dict:
        values |= {"wamid": wamid, "status": status}
        return self.call("POST", "/_control/statuses", values)

    def change(self, field: str, value: dict, account: str | None = None) -> dict:
        values = {"field": field, "value": value, "account": account}
        return self.call("POST", "/_control/changes", values)

    def raw(self, body: bytes | dict, signature: str = "valid", **values) -> dict:
        """Deliver any bytes once; `signature`: valid, wrong, missing or a literal."""
        if isinstance(body, bytes):
            values["body_base64"] = base64.b64encode(body).decode()
        else:
            values["payload"] = body
        return self.call("POST", "/_control/raw", values | {"signature": signature})

    def redeliver(self, delivery_id: int) -> dict:
        return self.call("POST", f"/_control/deliveries/{delivery_id}", {})

    # -- looking back ----------------------------------------------------------------

    def state(self) -> dict:
        return self.call("GET", "/_control/state")

    def outbox(self, **filters) -> list[dict]:
        """Calls of the send endpoint; filters: number, person, type, outcome..."""
        return self.call("GET", "/_control/outbox", **filters)

    def sent(self, wamid: str) -> dict:
        return self.call("GET", f"/_control/sent/{wamid}")

    def received(self) -> list[dict]:
        return self.call("GET", "/_control/received")

    def deliveries(self, state: str | None = None, bodies: bool = False) -> list[dict]:
        return self.call(
            "GET", "/_control/deliveries", state=state, bodies=1 if bodies else None
        )

    def requests(self) -> list[dict]:
        return self.call("GET", "/_control/requests")


class Customer:
    """A person with WhatsApp who writes to one of our numbers.

    Each `send_*` returns the wamid; keywords are those of `customer` and of
    `POST /_control/messages` (reply_to, referral, raw, ...).
    """

    def __init__(self, simulator: Simulator, record: dict, number: str | None = None):
        self._simulator = simulator
        self._number = number
        self.record = record

    @property
    def id(self) -> str:
        return self.record["id"]

    @property
    def phone(self) -> str | None:
        return self.record["wa_id"] or self.record["phone"]

    def bsuid(self, account_id: str | None = None) -> str:
        """The business-scoped user id towards one account (default: the first)."""
        known = self.record["user_ids"]
        return known[account_id] if account_id else next(iter(known.values()))

    def change(self, **values) -> "Customer":
        path = "/_control/persons"
        self.record = self._simulator.call("POST", path, {"id": self.id} | values)
        return self

    def act(self, type: str, **words) -> dict:
        """{wamid, payload, deliveries} of a message of any type."""
        if self._number:
            words = {"number": self._number} | words
        return self._simulator.play(person=self.id, type=type, **words)

    def send(self, type: str, **words) -> str:
        return self.act(type, **words)["wamid"]

    def send_text(self, text: str, **words) -> str:
        return self.send("text", text=text, **words)

    def send_file(self, type: str, path: Path | None = None, **words) -> str:
        """image, video, audio, document or sticker; a generated one without path."""
        if path:
            words["bytes_base64"] = base64.b64encode(path.read_bytes()).decode()
            words.setdefault("filename", path.name)
        return self.send(type, **words)

    def send_image(self, caption: str | None = None, **words) -> str:
        return self.send("image", caption=caption, **words)

    def react(self, message_id: str, emoji: str | None = "👍") -> str:
        return self.send("reaction", message_id=message_id, emoji=emoji)

    def change_number(self, new_phone: str, **words) -> str:
        """A new phone, therefore a new BSUID; told by a system message."""
        wamid = self.send("system", new_phone=new_phone, **words)
        self.record = self._simulator.call("GET", f"/_control/persons/{self.id}")
        return wamid
