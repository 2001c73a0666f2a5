# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Work that goes on after a call was answered, and waiting until it is done."""

import asyncio
import logging
import time
from collections.abc import Coroutine

_logger = logging.getLogger(__name__)

HANDOVER = 0.005  # seconds in which ended work may start the next


class Background:
    def __init__(self):
        self._tasks: set[asyncio.Task] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine) -> asyncio.Task:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            _logger.error("background work failed", exc_info=task.exception())

    async def idle(self, timeout: float) -> bool:
        """Whether everything, and what it started, ended within `timeout` seconds."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=left)
                continue
            await asyncio.sleep(HANDOVER)
            if not self._tasks:
                return True
        return not self._tasks

    async def cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
