# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A simulator on a real port, a callback that receives its webhooks, and a caller."""

import sys
import threading
from pathlib import Path

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from actors import ANA, SECRET, VERIFY_TOKEN, Business, Callback  # noqa: E402

from devkit.simulator.client import Simulator  # noqa: E402
from devkit.simulator.server import running  # noqa: E402


@pytest.fixture(scope="session")
def base_url():
    with running(seed="tests") as url:
        yield url


@pytest.fixture(scope="session")
def callback_server():
    server = Callback()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def callback(callback_server):
    callback_server.begin()
    return callback_server


@pytest.fixture(scope="session")
def door_session():
    return requests.Session()


@pytest.fixture
def simulator(base_url, door_session):
    door = Simulator(base_url, door_session)
    door.reset()
    door.settings(status_delay=0.005, retry_first=0.02, retry_longest=0.05)
    return door


@pytest.fixture
def business(simulator, callback, base_url):
    setup = simulator.setup(
        app={
            "secret": SECRET,
            "verify_token": VERIFY_TOKEN,
            "callback_url": callback.url,
        },
        number={"phone": "34910555666"},
    )
    return Business(base_url, setup)


@pytest.fixture
def ana(simulator, business):
    return simulator.person(ANA, name="Ana", username="ana.p")


@pytest.fixture
def open_window(simulator, ana, callback):
    """Ana wrote a moment ago; the callback forgets that again."""
    wamid = ana.send_text("Hola, ¿precio?")
    simulator.wait()
    callback.posts.clear()
    return wamid
