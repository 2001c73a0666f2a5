# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How fast a delivery is answered, and how fast its message is there.

The same deliveries go to the same Odoo twice: with OCA's modules alone, and with our
addon, which also makes the lead, hands it to a salesperson and asks for a call. All
times are in milliseconds unless they say otherwise.
"""

import functools
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from devkit import options, shop
from devkit.bench import sides
from devkit.server import free_port

WORKERS = 2
SENDERS = 60  # of the steady deliveries; those of a burst are strangers
STEADY = (200, 20)  # deliveries, per second
BURST = (300, 200)
BURSTS = 5
ASIDE = 10  # so many deliveries of a burst for each request of the empty route
POSTERS = 32
PATIENCE = 180  # seconds until the last message is there


@dataclass
class Measured:
    """What one side did."""

    side: str
    empty_p50: float  # an empty route of the same server
    steady_p50: float
    steady_p95: float
    steady_p99: float
    empty_burst_p50: float  # the same burst on the empty route: what Odoo itself needs
    empty_burst_p99: float
    burst_p50: float  # this and what follows: medians of the bursts
    burst_p99: float
    aside_p50: float  # the empty route amid a burst
    aside_p99: float
    refused: int  # connections or answers other than 200
    visible_s: float  # seconds from the last answer until the last message is there


def run(wished: options.BenchOptions) -> None:
    """Measure both sides; print a table, and the same as JSON."""
    found = []
    for side, with_addon in sides.SIDES:
        with sides.opened("bench", wished, side, with_addon) as opened:
            version = opened.environment.odoo.version
            found.append(_measure(side, opened))
    title = f"inbound, Odoo {version}, {WORKERS} workers"
    sides.show(title, [asdict(figures) for figures in found])


def _measure(side: str, opened: shop.Shop) -> Measured:
    port = free_port()
    started = opened.start(
        f"--workers={WORKERS}", f"--gevent-port={port}", "--max-cron-threads=1"
    )
    _deliver(opened, started.url, 20, 10, "warm")
    empty = [_timed(lambda: _ask_nothing(started.url)) for _ in range(200)]
    empty_burst, _refused = _paced([_ask_nothing] * BURST[0], BURST[1], started.url)
    steady, refused = _deliver(opened, started.url, *STEADY, "steady")
    wanted = 20 + STEADY[0] - refused
    _wait_until_visible(opened, wanted)
    bursts, aside, seconds = [], [], []
    for number in range(BURSTS):  # each when the one before is worked off
        requests = _deliveries(BURST[0], f"burst{number}", BURST[0], 1 + number)
        for place in range(ASIDE, BURST[0] * (ASIDE + 1) // ASIDE, ASIDE + 1):
            requests.insert(place, _ask_nothing)
        answers, bad = _paced(requests, BURST[1] * (1 + 1 / ASIDE), started.url)
        answered = time.monotonic()
        aside.append(answers[ASIDE :: ASIDE + 1])
        del answers[ASIDE :: ASIDE + 1]
        bursts.append(answers)
        refused += bad
        wanted += BURST[0] - bad
        _wait_until_visible(opened, wanted)
        seconds.append(time.monotonic() - answered)
    return Measured(
        side=side,
        empty_p50=_percentile(empty, 50),
        steady_p50=_percentile(steady, 50),
        steady_p95=_percentile(steady, 95),
        steady_p99=_percentile(steady, 99),
        empty_burst_p50=_percentile(empty_burst, 50),
        empty_burst_p99=_percentile(empty_burst, 99),
        burst_p50=_median(bursts, 50),
        burst_p99=_median(bursts, 99),
        aside_p50=_median(aside, 50),
        aside_p99=_median(aside, 99),
        refused=refused,
        visible_s=statistics.median(seconds),
    )


def _deliver(opened, url: str, count: int, rate: float, name: str):
    """Post deliveries at a rate; latencies, and how many were not taken."""
    return _paced(_deliveries(count, name, SENDERS), rate, url)


def _deliveries(count: int, name: str, senders: int, series: int = 0) -> list:
    """Requests, each a message of one of so many senders, who are others per series."""
    messages = [
        shop.message(number, f"52155{series:02}{number % senders:06}")
        for number in range(count)
    ]
    bodies = [
        shop.delivery({**each, "id": f"{name}.{number}"})
        for number, each in enumerate(messages)
    ]
    return [functools.partial(shop.post, body=body) for body in bodies]


def _ask_nothing(url: str) -> int:
    return shop.request("GET", url, "/web/health")


def _paced(requests: list, rate: float, url: str) -> tuple[list[float], int]:
    """Make requests at a rate; latencies, and how many were not answered with 200."""
    begun = time.monotonic()

    def make(job):
        number, request = job
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        statuses = []
        return _timed(lambda: statuses.append(request(url))), statuses[0]

    with ThreadPoolExecutor(POSTERS) as pool:
        answers = list(pool.map(make, enumerate(requests)))
    refused = sum(status != 200 for _latency, status in answers)
    return [latency for latency, _status in answers], refused


def _wait_until_visible(opened: shop.Shop, wanted: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        seen = opened.value(
            "SELECT count(*) FROM mail_message message"
            " JOIN discuss_channel channel ON channel.id = message.res_id"
            " WHERE message.model = 'discuss.channel'"
            " AND message.message_type = 'comment'"
            " AND channel.channel_type = 'gateway'"
        )
        if seen >= wanted:
            return
        time.sleep(0.1)


def _timed(work) -> float:
    begun = time.monotonic()
    work()
    return (time.monotonic() - begun) * 1000


def _percentile(values: list[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed.

    >>> _percentile([4.0, 1.0, 3.0, 2.0], 50)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _median(runs: list[list[float]], percent: int) -> float:
    return statistics.median(_percentile(values, percent) for values in runs)
