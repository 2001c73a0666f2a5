# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps that are killed, repeated, or run twice at once."""

import os
import signal
import subprocess
import sys
import time

import pytest

from devkit import fetch, stamps
from devkit.console import Failure

HALF_DONE = """
import os, signal, sys, time
from pathlib import Path
from devkit import stamps

def make(folder):
    (folder / "half").write_text("x")
    print("half", flush=True)
    time.sleep(60)

stamps.ensure(Path(sys.argv[1]), "1", make)
"""

SLOW = """
import sys, time
from pathlib import Path
from devkit import stamps

def make(folder):
    with open(folder.parent / "made", "a") as log:
        log.write("x")
    time.sleep(0.5)

stamps.ensure(Path(sys.argv[1]), "1", make)
"""

WRITES = """
import sys
from pathlib import Path
from devkit import environment

folder = Path(sys.argv[1])
for number in range(300):
    environment._write_config(folder / "odoo.conf", {"number": number})
    environment._link(folder / "addon", folder / str(number))
"""


def _run(script, folder):
    command = [sys.executable, "-c", script, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_step_is_made_again_from_nothing(cache):
    folder = cache / "step"
    with _run(HALF_DONE, folder) as process:
        while process.stdout.readline().strip() != "half":
            pass
        process.send_signal(signal.SIGKILL)
    assert (folder / "half").exists()
    stamps.ensure(folder, "1", lambda target: (target / "whole").write_text("x"))
    assert sorted(os.listdir(folder)) == [stamps.STAMP, "whole"]


def test_two_runs_make_it_once(cache):
    runs = [_run(SLOW, cache / "step") for _number in range(3)]
    assert [run.wait(timeout=20) for run in runs] == [0, 0, 0]
    for run in runs:
        run.stdout.close()
    assert (cache / "made").read_text() == "x"


def test_a_finished_step_is_left_alone(cache):
    stamps.ensure(cache / "step", "1", lambda folder: None)
    stamps.ensure(cache / "step", "1", lambda folder: pytest.fail("made again"))


def test_another_key_makes_it_anew(cache):
    stamps.ensure(cache / "step", "1", lambda target: (target / "old").touch())
    stamps.ensure(cache / "step", "2", lambda target: (target / "new").touch())
    assert sorted(os.listdir(cache / "step")) == [stamps.STAMP, "new"]


def test_a_step_that_fails_is_not_complete(cache):
    def fail(folder):
        raise Failure("no")

    with pytest.raises(Failure):
        stamps.ensure(cache / "step", "1", fail)
    assert not stamps.is_complete(cache / "step", "1")


def test_the_lock_of_a_killed_run_is_free(cache):
    with _run(HALF_DONE, cache / "step") as process:
        process.stdout.readline()
        process.kill()
    started = time.monotonic()
    with stamps.locked("step"):
        assert time.monotonic() - started < 5


def test_a_download_is_whole_or_absent(cache, archive):
    (archive.folder / "file").write_bytes(b"content")
    target = cache / "file"
    fetch.download(f"{archive.url}/file", target, "a file", fetch_sum(b"content"))
    assert target.read_bytes() == b"content"
    with pytest.raises(Failure, match="not the expected file"):
        fetch.download(f"{archive.url}/file", cache / "two", "a file", "0" * 64)
    with pytest.raises(Failure, match="HTTP 404"):
        fetch.download(f"{archive.url}/none", cache / "three", "a file")
    assert os.listdir(cache) == ["file"]


def test_a_site_out_of_reach_is_one_clear_line(cache):
    with pytest.raises(Failure, match="cannot download .* no connection"):
        fetch.download("http://127.0.0.1:9/x", cache / "x", "a file")


def fetch_sum(content):
    import hashlib

    return hashlib.sha256(content).hexdigest()


def test_several_runs_write_the_same_files(cache):
    folder = cache / "run"
    folder.mkdir()
    runs = [_run(WRITES, folder) for _number in range(4)]
    assert [run.wait() for run in runs] == [0, 0, 0, 0]
    assert sorted(os.listdir(folder)) == ["addon", "odoo.conf"]
    assert (folder / "odoo.conf").read_text() == "[options]\nnumber = 299\n\n"
