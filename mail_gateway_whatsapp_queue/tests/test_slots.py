# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which slot of a queue a thread takes, and when it gives it back."""

from contextlib import contextmanager
from time import monotonic
from unittest.mock import patch

from ..queue import worker
from ..queue.locks import slot_key
from ..tools import parameters
from ..tools.slots import EACH
from .common import GatewayCase

FOR_TWO, FOR_THREE = EACH["inbound"], 2 * EACH["inbound"]


class TestSlots(GatewayCase):
    def setUp(self):
        super().setUp()
        self.taken = set()  # slots of others
        self.waiting = 0
        self.late = 0
        self.counted = 0
        self.work = []  # what the drain does: (what it returns, persons it skips)
        self.begun = []  # (slot, seconds it was given)
        self.slot = None
        events = self.registry["whatsapp.webhook.event"]
        self.startPatcher(patch.object(worker, "try_locks", self.try_locks))
        self.startPatcher(patch.object(events, "_waiting", self.count))
        self.startPatcher(patch.object(events, "_drain", self.drain_once))

    @contextmanager
    def try_locks(self, _registry, keys):
        [slot] = [n for n in range(16) if keys == [slot_key("inbound", n)]]
        if slot in self.taken:
            yield False
            return
        self.slot = slot
        yield True
        self.slot = None

    def count(self, _registry, limit, late=False):
        if late:
            return self.late
        self.counted += 1
        return min(limit, self.waiting)

    def drain_once(self, _registry, deadline, skip_keys):
        if self.slot is None:  # without a slot it only looks
            return False
        self.begun.append((self.slot, round(deadline - monotonic())))
        left, skipped, self.waiting = self.work.pop(0)
        skip_keys += [name for name in skipped if name not in skip_keys]
        return left

    def run_queue(self):
        return worker.run_queue(self.registry, "inbound", seconds=8)

    def test_the_first_slot_is_there_for_whoever_is_woken(self):
        self.work = [(False, [], 0)]
        self.assertIs(self.run_queue(), False)
        self.assertEqual((self.begun, self.counted), ([(0, 8)], 0))

    def test_a_small_backlog_is_worth_no_further_slot(self):
        self.taken, self.waiting = {0}, FOR_TWO - 1
        self.assertIsNone(self.run_queue())
        self.assertEqual((self.begun, self.counted), ([], 1))

    def test_a_backlog_is_worth_further_slots_until_it_is_gone(self):
        self.taken, self.waiting = {0, 1}, FOR_THREE
        self.work = [(True, [], FOR_THREE), (True, [], FOR_TWO)]
        # what it leaves is told, so that somebody looks again
        self.assertIs(self.run_queue(), True)
        self.assertEqual(self.begun, [(2, worker.FURTHER)] * 2)
        self.waiting = FOR_THREE - 1
        self.assertIsNone(self.run_queue())

    def test_the_first_slot_is_taken_as_soon_as_it_is_free(self):
        self.taken, self.waiting = {0}, FOR_TWO
        self.work = [(True, [], 0), (False, [], 0)]

        def drain(*args):
            self.taken = set()
            return self.drain_once(*args)

        events = self.registry["whatsapp.webhook.event"]
        with patch.object(events, "_drain", drain):
            self.assertIs(self.run_queue(), False)
        self.assertEqual(self.begun, [(1, worker.FURTHER), (0, 8)])

    def test_a_process_works_in_one_slot_only(self):
        self.taken, self.waiting = {0}, FOR_THREE
        key = (self.registry.db_name, "inbound")
        with patch.dict(worker._running, {key: 1}):
            self.assertIsNone(self.run_queue())
            self.taken, self.work = set(), [(False, [], 0)]
            self.assertIs(self.run_queue(), False)
        self.assertEqual(self.begun, [(0, 8)])

    def test_who_waits_for_long_is_worth_a_slot(self):
        self.taken, self.late = {0}, 1
        self.work = [(False, [], 0), (False, [], 0)]
        self.assertIs(self.run_queue(), False)
        key = (self.registry.db_name, "inbound")
        with patch.dict(worker._running, {key: 1}):  # which is held up, perhaps
            self.assertIs(self.run_queue(), False)
        self.assertEqual(self.begun, [(1, worker.FURTHER)] * 2)

    def test_the_parameter_rules(self):
        stored = self.env["ir.config_parameter"]
        stored.set_param(parameters.PREFIX + "inbound_slots", "2")
        self.taken, self.waiting = {0, 1}, FOR_THREE
        self.assertIsNone(self.run_queue())
        self.taken, self.waiting = {0}, 0
        self.work = [(False, [], 0)]
        self.assertIs(self.run_queue(), False)
        self.assertEqual((self.begun, self.counted), ([(1, 8)], 0))

    def test_whom_others_held_is_looked_at_again_once(self):
        self.work = [(False, ["somebody"], 0), (False, ["somebody"], 0)]
        self.assertIs(self.run_queue(), False)
        self.assertEqual(len(self.begun), 2)
