# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Playing a customer by hand, against the simulator of a running demo."""

import json
from pathlib import Path

from devkit import demo_state
from devkit.console import Failure, say


def send(
    kind: str,
    *,
    text: str | None,
    phone: str | None,
    name: str | None,
    file: Path | None,
    words: list[str],
    address: str | None,
    series: str | None = None,
) -> None:
    """Let one customer send one message and say what became of it."""
    from devkit.simulator.client import Simulator, SimulatorError

    simulator = Simulator(address or demo_state.read(series)["simulator"])
    values = {"name": name} if name else {}
    content = parse_words(words)
    if text:
        content["text" if kind == "text" else "caption"] = text
    try:
        person = simulator.person(phone, **values)
        if file:
            wamid = person.send_file(kind, file, **content)
        else:
            wamid = person.send(kind, **content)
        settled = simulator.wait(30)
    except (SimulatorError, OSError) as error:
        raise Failure(str(error)) from error
    say(f"{name or phone} sent a message of type {kind}: {wamid}")
    if not settled:
        raise Failure(
            "it was not taken within 30 seconds; the simulator goes on trying"
        )


def parse_words(words: list[str]) -> dict:
    """Further content given as `name=value`; a value may be JSON.

    >>> parse_words(["title=Me interesa", "latitude=40.4"])
    {'title': 'Me interesa', 'latitude': 40.4}
    """
    content = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Failure(f"{word!r} is not of the form name=value")
        try:
            content[name] = json.loads(value)
        except ValueError:
            content[name] = value
    return content
