# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How the simulator behaves: general settings, and faults on demand.

A fault is JSON, posted to `/_config`:

    {"fault": "error", "on": "messages", "code": 131000, "times": 1,
     "match": {"person": "34600111222"}}

`times` says how often it acts (absent: until it is removed), `chance` on how many of
the fitting occasions (0 to 1; absent: on each), by lot, which the simulator's seed
decides. `match` limits it; each key given must fit, a list if one of it does: `number`
(id), `person` (id, phone, BSUID, username or name), `type` (message type, status or
field), `template` (name).

Faults of Meta's endpoints. `on` is one of messages, read, upload, media, download,
templates, number, account, app, any; default messages:

| fault    | parameters                                                              |
|----------|-------------------------------------------------------------------------|
| delay    | seconds before the call is looked at                                    |
| error    | code, http, details, subcode, retry_after, bare (without error_data),   |
|          | body (raw text in place of Meta's JSON), accept (take the message first)|
| hang     | accept (default true: taken, then never answered), seconds until the    |
|          | connection closes (default 3600)                                        |
| cut      | accept (default false): close the connection before or after taking;    |
|          | reset (default false): with a TCP reset in place of an orderly end      |
| expired  | only download: answer 404                                               |
| slow     | only download: send the bytes over this many seconds                    |
| truncate | only download: cut the connection after so many bytes                   |

Faults of the statuses of a message that was taken (`match` as above):

| statuses | sequence (list of statuses), reverse, missing (list), duplicate (copies)|
|          | before_answer, delay (seconds), fail_code, details, bare                |

Faults of webhook deliveries:

| webhook_delay | seconds                                                            |
| duplicate     | copies: how many deliveries in all (default 2), at the same time   |
| drop          | never delivered                                                    |
| forge         | signed with a wrong secret, at every attempt                       |
| batch         | size: wait for so many updates, linger: seconds (default 1) to wait|
|               | for them, shape: messages, changes or entries                      |
"""

import random
from dataclasses import dataclass, field, fields

ENDPOINTS = (
    "messages",
    "read",
    "upload",
    "media",
    "download",
    "templates",
    "number",
    "account",
    "app",
    "any",
)
ENDPOINT_FAULTS = {
    "delay": {"seconds"},
    "error": {
        "code",
        "http",
        "details",
        "subcode",
        "retry_after",
        "bare",
        "body",
        "accept",
    },
    "hang": {"accept", "seconds"},
    "cut": {"accept", "reset"},
    "expired": set(),
    "slow": {"seconds"},
    "truncate": {"bytes"},
}
DOWNLOAD_ONLY = ("expired", "slow", "truncate")
OUTCOMES = ("error", "hang", "cut")
STATUS_FAULTS = {
    "statuses": {
        "sequence",
        "reverse",
        "missing",
        "duplicate",
        "before_answer",
        "delay",
        "fail_code",
        "details",
        "bare",
    },
}
WEBHOOK_FAULTS = {
    "webhook_delay": {"seconds"},
    "duplicate": {"copies"},
    "drop": set(),
    "forge": set(),
    "batch": {"size", "linger", "shape"},
}
PARAMETERS = {**ENDPOINT_FAULTS, **STATUS_FAULTS, **WEBHOOK_FAULTS}
MATCHES = {"number", "person", "type", "template"}


@dataclass
class Settings:
    """What holds for everything until changed. Times are in real seconds.

    `late_codes`: refusals with these codes are answered 200 and told by a 'failed'
    status instead. `throughput`: messages per second and number before 130429;
    `pair_limit`: {"messages": n, "seconds": s} per number and person before 131056.
    `unknown_persons`: 'create' (every phone has WhatsApp) or 'refuse' (131026).
    `bsuid_in_to`: also take a business-scoped user id in `to`, as some report.
    `reads`: whether persons send read receipts unless they say otherwise.
    `retry_first`, `retry_factor`, `retry_longest`, `retry_attempts`: redelivery of
    webhooks, Meta's seven days scaled down.
    """

    late_codes: list = field(default_factory=list)
    throughput: float | None = None
    pair_limit: dict | None = None
    unknown_persons: str = "create"
    bsuid_in_to: bool = False
    hide_phones: bool = False
    reads: bool = False
    statuses: bool = True
    status_delay: float = 0.02
    media_url: bool = True
    free_service_messages: int = 1000
    auto_approve_templates: bool = False
    retry_first: float = 0.2
    retry_factor: float = 2.0
    retry_longest: float = 5.0
    retry_attempts: int = 8
    callback_timeout: float = 10.0
    concurrency: int = 8

    def update(self, values: dict) -> None:
        """Raises ValueError on a name that is no setting."""
        known = {item.name for item in fields(self)}
        if unknown := set(values) - known:
            raise ValueError(f"no setting {sorted(unknown)}; known: {sorted(known)}")
        for name, value in values.items():
            setattr(self, name, value)


@dataclass
class Fault:
    id: int
    fault: str
    on: str
    match: dict
    times: int | None
    parameters: dict
    used: int = 0
    chance: float = 1.0

    def get(self, name: str, default=None):
        return self.parameters.get(name, default)

    def fits(self, facts: dict[str, set]) -> bool:
        return all(
            any(str(value) in facts.get(key, ()) for value in _alternatives(wanted))
            for key, wanted in self.match.items()
        )

    def spent(self) -> bool:
        return self.times is not None and self.used >= self.times


def _alternatives(wanted) -> list:
    return wanted if isinstance(wanted, list) else [wanted]


def facts(**values) -> dict[str, set]:
    """Facts about a call, each a set of strings that `match` may name.

    >>> facts(type="text", person={"p1", None})
    {'type': {'text'}, 'person': {'p1'}}
    """
    return {
        key: {
            str(value)
            for value in (given if isinstance(given, set) else {given})
            if value is not None
        }
        for key, given in values.items()
    }


def parse(values: dict, number: int) -> Fault:
    """A Fault from JSON; raises ValueError naming what is wrong."""
    values = dict(values)
    name = values.pop("fault", None)
    if name not in PARAMETERS:
        raise ValueError(f"no fault {name!r}; known: {sorted(PARAMETERS)}")
    default = "download" if name in DOWNLOAD_ONLY else "messages"
    if name not in ENDPOINT_FAULTS:
        default = "statuses" if name in STATUS_FAULTS else "webhook"
    on = values.pop("on", default)
    movable = name in ENDPOINT_FAULTS and name not in DOWNLOAD_ONLY
    if on != default and not (movable and on in ENDPOINTS):
        raise ValueError(f"fault {name} cannot act on {on!r}; known: {ENDPOINTS}")
    match, times = values.pop("match", {}), values.pop("times", None)
    chance = values.pop("chance", 1.0)
    if isinstance(chance, bool) or not 0 <= chance <= 1:
        raise ValueError(f"chance lies between 0 and 1, not at {chance!r}")
    if unknown := set(match) - MATCHES:
        raise ValueError(f"cannot match {sorted(unknown)}; known: {sorted(MATCHES)}")
    if unknown := set(values) - PARAMETERS[name]:
        raise ValueError(
            f"fault {name} takes {sorted(PARAMETERS[name])}, not {sorted(unknown)}"
        )
    return Fault(number, name, on, match, times, values, chance=chance)


class Faults:
    """The faults that wait for their occasion, oldest first."""

    def __init__(self, seed: int | str | None = None):
        self._all: list[Fault] = []
        self._made = 0
        self._lots = random.Random(seed)

    def add(self, values: dict) -> Fault:
        self._made += 1
        fault = parse(values, self._made)
        self._all.append(fault)
        return fault

    def remove(self, number: int | None = None) -> None:
        """One fault by its id, or all."""
        self._all = [f for f in self._all if number is not None and f.id != number]

    def listed(self) -> list[Fault]:
        return list(self._all)

    def take(self, on: str, names, known: dict[str, set]) -> Fault | None:
        """The first fitting fault, used once; None if there is none."""
        for fault in self._all:
            if (
                fault.fault in names
                and fault.on in (on, "any")
                and not fault.spent()
                and fault.fits(known)
                and self._lots.random() < fault.chance
            ):
                fault.used += 1
                return fault
        return None
