# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Databases of which demos and tests take copies."""

from types import SimpleNamespace

import pytest

from devkit import database, paths, prepared
from devkit.postgres import Cluster

PARAMETERS = "CREATE TABLE ir_config_parameter (key text, value text)"


@pytest.fixture
def env(cache):
    cluster = Cluster()
    cluster.start()
    with cluster.connect() as connection:
        connection.execute("CREATE DATABASE base")
    with cluster.connect("base") as connection:
        connection.execute(PARAMETERS)
    yield SimpleNamespace(
        cluster=cluster, series="18.0", filestore=lambda name: cache / name
    )
    cluster.remove()


def test_each_is_made_once_and_again_from_something_else(env, monkeypatch):
    made = []
    first = prepared.ensure(env, "kind", "base", ["one"], made.append)
    assert prepared.ensure(env, "kind", "base", ["one"], made.append) == first
    assert len(made) == 1
    other = prepared.ensure(env, "other kind", "base", ["one"], made.append)
    monkeypatch.setattr(paths, "checkout", lambda: "another")
    elsewhere = prepared.ensure(env, "kind", "base", ["two"], made.append)
    monkeypatch.undo()
    assert {first, other, elsewhere} <= set(database.names(env)), "each has its own"
    second = prepared.ensure(env, "kind", "base", ["two"], made.append)
    assert len(made) == 4
    assert set(database.names(env)) == {"base", second, other, elsewhere}


def test_what_fails_on_the_way_is_made_from_the_beginning(env):
    def fail(name):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        prepared.ensure(env, "kind", "base", [], fail)
    made = prepared.ensure(env, "kind", "base", [], lambda name: None)
    assert set(database.names(env)) == {"base", made}
