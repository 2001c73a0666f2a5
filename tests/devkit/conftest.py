# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A cache folder of its own for each test, and an archive on a real port."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("CWG_CACHE", str(folder))
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def archive(tmp_path):
    """A folder that is served by HTTP; `archive.url` is its address."""
    folder = tmp_path / "archive"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.folder = folder
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_odoo():
    """Makes a folder that looks like an Odoo source tree of a given version."""

    def make(folder, version="(18, 0, 0, FINAL, 0, '')", addons="addons"):
        (folder / "odoo").mkdir(parents=True)
        (folder / "odoo" / "release.py").write_text(f"version_info = {version}\n")
        (folder / "odoo-bin").write_text("print('odoo')\n")
        for module in ("mail", "crm"):
            (folder / addons / module).mkdir(parents=True)
        return folder

    return make
