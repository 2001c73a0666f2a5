# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Read by Python as it starts: from then on this process lives on another day."""

import os
from datetime import UTC, datetime, timedelta

import time_machine

_moved = timedelta(seconds=int(os.environ["CWG_CLOCK_SECONDS"]))
time_machine.travel(datetime.now(UTC) + _moved, tick=True).start()
