# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The examples in the simulator's docstrings run."""

import doctest
import importlib

import pytest

MODULES = ("calls", "clock", "faults", "media", "payloads", "phones", "templates")


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    module = importlib.import_module(f"devkit.simulator.{name}")
    result = doctest.testmod(module)
    assert result.attempted and not result.failed
