# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Processes and the private PostgreSQL: started, killed, stopped, found again."""

import os
import shutil
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from devkit import demo_state, processes, simulate
from devkit.checks import outside
from devkit.console import Failure
from devkit.postgres import Cluster

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('ready', flush=True); time.sleep(60)",
]


def test_a_recorded_process_is_stopped_and_forgotten(cache):
    process = subprocess.Popen(SLEEP)
    started = processes.record("sleeper", process.pid)
    assert list(processes.running()) == [started]
    processes.stop(started)
    assert process.poll() is not None
    assert list(processes.running()) == []


def test_a_process_that_refuses_is_killed(cache):
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        processes.stop(processes.record("stubborn", process.pid), grace=0.2)
        assert process.wait(5) is not None


def test_a_later_process_with_the_same_number_is_left_alone(cache):
    with subprocess.Popen(SLEEP) as process:
        stale = processes.Started("old", process.pid, born="1")
        assert not stale.alive
        processes.stop(stale)
        assert process.poll() is None
        process.kill()


@pytest.fixture
def cluster(cache):
    cluster = Cluster()
    yield cluster
    cluster.remove()


def test_postgresql_survives_a_kill(cluster):
    cluster.start()
    with cluster.connect() as connection:
        connection.execute("CREATE DATABASE kept")
    pid = int(cluster.pid_file.read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while cluster.running() and time.monotonic() < deadline:
        time.sleep(0.05)
    cluster.start()
    with cluster.connect("kept") as connection:
        (limit,) = connection.execute("SHOW max_connections").fetchone()
        (port,) = connection.execute("SHOW listen_addresses").fetchone()
    assert (limit, port) == ("200", "")


def test_a_pid_file_that_names_another_process_is_no_obstacle(cluster):
    cluster.start()
    assert cluster.stop()
    assert not cluster.stop()
    cluster.pid_file.write_text(f"{os.getpid()}\n{cluster.data}\n")
    if not os.geteuid():
        os.chown(cluster.pid_file, *_owner(cluster))
    cluster.start()
    assert cluster.running()


def _owner(cluster):
    found = cluster.data.stat()
    return found.st_uid, found.st_gid


def test_databases_do_not_outlive_their_cache_folder(cluster, cache):
    cluster.start()
    with cluster.connect() as connection:
        connection.execute("CREATE DATABASE old")
    shutil.rmtree(cache)
    cache.mkdir()
    again = Cluster()
    again.start()
    with again.connect() as connection:
        query = "SELECT count(*) FROM pg_database WHERE datname = 'old'"
        assert connection.execute(query).fetchone() == (0,)


def test_the_data_is_closed_to_others(cluster):
    cluster.start()
    assert cluster.folder.stat().st_mode & 0o077 == 0
    assert cluster.socket.stat().st_mode & 0o077 == 0


def test_a_removed_cluster_is_gone(cluster):
    cluster.start()
    cluster.remove()
    assert not cluster.folder.exists()
    with pytest.raises(psycopg.OperationalError):
        cluster.connect()


def test_the_demo_is_found_while_it_runs(cache):
    with pytest.raises(Failure, match="./dev demo"):
        demo_state.read()
    demo_state.write(simulator="http://127.0.0.1:1")
    assert demo_state.read() == {"simulator": "http://127.0.0.1:1"}
    demo_state.clear()
    demo_state.clear()


def test_words_of_a_message_may_be_json():
    words = simulate.parse_words(
        ["title=Me interesa", 'items=[{"id": 1}]', "flag=true"]
    )
    assert words == {"title": "Me interesa", "items": [{"id": 1}], "flag": True}
    with pytest.raises(Failure, match="name=value"):
        simulate.parse_words(["title"])


def test_a_pytest_report_is_counted(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="good"/>'
        '<testcase classname="a" name="bad"><failure message="x"/></testcase>'
        '<testcase classname="a" name="not"><skipped message="why"/></testcase>'
        "</testsuite></testsuites>"
    )
    result = outside.read_report(report, 1)
    assert (result.passed, result.failed) == (1, 1)
    assert result.problems == ["failed: a.bad", "skipped: a.not: why"]
