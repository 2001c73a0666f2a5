# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The exit status of a command is what a script goes by."""

import pytest
from typer.testing import CliRunner

from devkit import demo
from devkit.cli import app


@pytest.mark.parametrize("verdict", [0, 1])
def test_the_demo_ends_with_its_verdict(monkeypatch, verdict):
    monkeypatch.setattr(demo, "run", lambda wished: verdict)
    ended = CliRunner().invoke(app, ["demo", "--once", "--series", "18.0"])
    assert ended.exit_code == verdict, ended.output
