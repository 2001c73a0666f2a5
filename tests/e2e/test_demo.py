# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The whole of it, from one command: Odoo, the simulator, the story.

One demo is killed in the middle of its story; the next one must clean up after it
and come to its end. `./dev test` says by CWG_SERIES and ODOO_PATH which Odoo.
"""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from devkit import paths, processes

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
FIRST_RUN = 600  # seconds; the first run on a machine prepares its database
STORY = 240  # seconds for a whole story
EXPECTED = (
    "each of the seven persons has one conversation and one lead",
    "Rafael Souza is on the lead that was known in another spelling",
    "new leads say that they came by WhatsApp, or by which ad",
    "every number is normalised, whatever Meta calls it",
    "the new leads went to the three salespeople in turn",
    "Emilio Vargas is on leave and got none, and the reasons say so",
    "Patricia Luna is again with Diego Hernández, who sold to her before",
    "each salesperson finds the own conversations in the inbox, no others",
    "each lead asks for one call, until it is answered in the chat",
    "no message is lost, doubled or out of order",
    "what Meta delivered twice is there once",
    "the picture of Fernanda Castillo is at its message",
    "the button that Tomás Aguilar pressed can be read",
    "the answer to Lucía Fernández was read",
    "Camila Reyes was answered without a phone number",
    "the answer to Javier Ortiz failed once and arrived a minute later",
    "Lucía Fernández sees that her last message was read",
    "Meta took each answer exactly once",
    "nothing else was refused, on either side",
    "all that Meta delivered is dealt with",
    "a salesperson cannot read a secret of the gateway",
    "Odoo's log has no warning and no error",
)
CUSTOMERS = (
    "Lucía Fernández",
    "Javier Ortiz",
    "Rafael Souza",
    "Camila Reyes",
    "Fernanda Castillo",
    "Tomás Aguilar",
    "Patricia Luna",
)


@dataclass
class Played:
    """What came of `./dev demo --once`."""

    status: int
    output: str


def _start(output) -> subprocess.Popen:
    command = [str(paths.REPO / "dev"), "demo", "--once", "--series", SERIES]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200"},
        start_new_session=True,
    )


def _wait_for(words: str, log: Path, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + FIRST_RUN
    while words not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def _left() -> list[str]:
    return [p.name for p in processes.running() if p.name.startswith(f"demo-{SERIES}-")]


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> list[str]:
    """Kill a demo in the middle of its story; returns what it left running."""
    log = tmp_path_factory.mktemp("killed") / "log"
    with open(log, "w") as output:
        process = _start(output)
    try:
        _wait_for("again in", log, process)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    return _left()


@pytest.fixture(scope="module")
def played(killed, tmp_path_factory) -> Played:
    """The demo that follows, played to its end."""
    log = tmp_path_factory.mktemp("played") / "log"
    with open(log, "w") as output:
        process = _start(output)
    try:
        status = process.wait(timeout=STORY)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return Played(status, log.read_text())


def test_a_killed_demo_is_cleaned_up_by_the_next(killed, played):
    assert sorted(killed) == [f"demo-{SERIES}-odoo", f"demo-{SERIES}-simulator"]
    for name in killed:
        assert f"stopped {name}, left by an earlier demo" in played.output
    assert _left() == []


def test_the_story_ends_well(played):
    assert played.status == 0, played.output
    assert f"{len(EXPECTED)} of {len(EXPECTED)} expectations held" in played.output


@pytest.mark.parametrize("expectation", EXPECTED)
def test_every_expectation_is_judged_and_holds(played, expectation):
    assert re.search(rf"^ +ok +{re.escape(expectation)}$", played.output, re.MULTILINE)


def test_the_table_tells_who_has_whom(played):
    table = played.output.partition("The story in Odoo")[2]
    rows = [line for line in table.splitlines() if line.strip().startswith(CUSTOMERS)]
    assert sorted(row.split("  ")[1] for row in rows) == sorted(CUSTOMERS)
    assert any("read" in row and "Lucía" in row for row in rows)
    assert any("at attempt 2" in row and "Javier" in row for row in rows)


def test_it_says_where_to_look_and_then_stops(played):
    assert re.search(r"Look at it: http://127\.0\.0\.1:\d+", played.output)
    assert "Sofía Ramírez: login sofia, password sofia" in played.output
    assert "stopped Odoo, the simulator" in played.output.splitlines()[-1]


def test_no_secret_is_printed(played):
    assert not re.search(r"EAA[\w-]{20}|[0-9a-f]{32}", played.output)
