# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Another date for a process and its database."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

from psycopg import sql

from devkit import clock
from devkit.postgres import Cluster

MOMENT = datetime(2028, 2, 29, 23, 50)
SOON = timedelta(minutes=5)
TELL = (
    "import datetime; print(datetime.datetime.now(datetime.UTC).replace(tzinfo=None))"
)


def test_a_process_lives_on_another_day(cache):
    env = clock.env(clock.offset(MOMENT), dict(os.environ))
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        env=env,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert abs(datetime.fromisoformat(told.strip()) - MOMENT) < SOON


def test_a_database_lives_on_another_day_and_its_neighbours_do_not(cache):
    cluster = Cluster()
    cluster.start()
    try:
        with cluster.connect() as connection:
            connection.execute("CREATE DATABASE moved")
        environment = SimpleNamespace(cluster=cluster)
        clock.move_database(environment, "moved", clock.offset(MOMENT))
        for function in clock.CLOCKS:
            query = sql.SQL("SELECT {}() AT TIME ZONE 'UTC'").format(
                sql.Identifier(function)
            )
            with cluster.connect("moved") as connection:
                told = connection.execute(query).fetchone()[0]
            assert abs(told - MOMENT) < SOON, function
            with cluster.connect() as connection:
                told = connection.execute(query).fetchone()[0]
            assert abs(clock.offset(told)) < SOON.total_seconds(), function
    finally:
        cluster.remove()
