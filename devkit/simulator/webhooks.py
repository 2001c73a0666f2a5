# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Delivering webhooks as Meta does: signed, concurrent, again until there is a 200."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from . import payloads
from .background import Background
from .faults import WEBHOOK_FAULTS, Fault, facts
from .payloads import Update
from .state import App
from .world import World

AGENT = "facebookexternalua"


@dataclass
class Delivery:
    """One body for one callback.

    `state`: pending, delivered, given_up (all attempts failed), dropped (by a fault)
    or cancelled (by a reset).
    `attempts`: {at (simulated), http or None, error or None, seconds, answer}.
    """

    id: int
    app_id: str
    url: str
    body: bytes
    signature: str | None
    types: list[str]
    state: str = "pending"
    attempts: list[dict] = field(default_factory=list)


@dataclass
class _Batch:
    fault: Fault
    updates: list[Update]
    full: asyncio.Event
    ready: asyncio.Future


class Webhooks:
    """The sender of webhooks of all apps."""

    def __init__(self, world: World, background: Background):
        self._state, self._settings = world.state, world.settings
        self._faults, self._clock, self._ids = world.faults, world.clock, world.ids
        self._background = background
        self._session: aiohttp.ClientSession | None = None
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._batches: dict[int, _Batch] = {}
        self.deliveries: list[Delivery] = []

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            headers={"User-Agent": AGENT},
        )

    async def stop(self) -> None:
        if self._session:
            await self._session.close()

    # -- publishing -----------------------------------------------------------------

    async def publish(self, updates: list[Update], shape: str = "messages") -> list:
        """Send the updates in one body per app; returns after the first attempts."""
        first = updates[0]
        known = facts(
            number=first.number.id if first.number else None,
            person={token for update in updates for token in update.tokens},
            type={update.type for update in updates},
        )
        batch = self._take("batch", known)
        if batch:
            return await self._join_batch(batch, updates)
        return await self._deliver(updates, shape, known)

    def _take(self, name: str, known: dict) -> Fault | None:
        return self._faults.take("webhook", (name,), known)

    async def _join_batch(self, fault: Fault, updates: list[Update]) -> list:
        """Wait until the batch is full or its time is over; all members share it."""
        batch = self._batches.get(fault.id)
        if batch is None:
            future = asyncio.get_running_loop().create_future()
            batch = _Batch(fault, [], asyncio.Event(), future)
            self._batches[fault.id] = batch
            self._background.spawn(self._close_batch(batch))
        batch.updates.extend(updates)
        if len(batch.updates) >= batch.fault.get("size", 2):
            batch.full.set()
        return await asyncio.shield(batch.ready)

    async def _close_batch(self, batch: _Batch) -> None:
        linger = batch.fault.get("linger", 1)
        try:
            await asyncio.wait_for(batch.full.wait(), linger)
        except TimeoutError:
            pass  # what came until now goes
        self._batches.pop(batch.fault.id, None)
        shape = batch.fault.get("shape", "messages")
        batch.ready.set_result(await self._deliver(batch.updates, shape, facts()))

    async def _deliver(self, updates: list[Update], shape: str, known: dict) -> list:
        names = [name for name in WEBHOOK_FAULTS if known and name != "batch"]
        taken = {name: self._take(name, known) for name in names}
        if delay := taken.get("webhook_delay"):
            await asyncio.sleep(delay.get("seconds", 1))
        duplicate = taken.get("duplicate")
        copies = duplicate.get("copies", 2) if duplicate else 1
        made = []
        for app, url in self._targets(updates):
            body = payloads.serialize(payloads.delivery(updates, shape))
            secret = "forged" if taken.get("forge") else app.secret
            signature = payloads.sign(body, secret)
            for _ in range(copies):
                made.append(
                    self._new(app, url, body, signature, [u.type for u in updates])
                )
        if taken.get("drop"):
            for delivery in made:
                delivery.state = "dropped"
            return made
        await asyncio.gather(*(self._first(delivery) for delivery in made))
        return made

    def _targets(self, updates: list[Update]) -> list[tuple[App, str]]:
        """(app, callback url) of every app that is subscribed to the account."""
        first = updates[0]
        account = self._state.accounts[first.account_id]
        targets = []
        for app_id, override in account.subscriptions.items():
            app = self._state.apps.get(app_id)
            if app is None or not app.wants(first.field):
                continue
            if first.number and first.number.override:
                override = first.number.override
            url = override.callback_url if override else app.callback_url
            if url:
                targets.append((app, url))
        return targets

    def _new(self, app, url, body, signature, types) -> Delivery:
        number = len(self.deliveries) + 1
        delivery = Delivery(number, app.id, url, body, signature, types)
        self.deliveries.append(delivery)
        return delivery

    # -- attempts -------------------------------------------------------------------

    async def _first(self, delivery: Delivery) -> None:
        if not await self.attempt(delivery):
            self._background.spawn(self._again(delivery))

    async def _again(self, delivery: Delivery) -> None:
        """Redeliver the same bytes with growing pauses until a 200 comes."""
        wait = self._settings.retry_first
        try:
            while len(delivery.attempts) < self._settings.retry_attempts:
                await asyncio.sleep(wait)
                if await self.attempt(delivery):
                    return
                wait *= self._settings.retry_factor
                wait = min(wait, self._settings.retry_longest)
            delivery.state = "given_up"
        except asyncio.CancelledError:
            delivery.state = "cancelled"
            raise

    async def attempt(self, delivery: Delivery) -> bool:
        """One POST; whether it was answered 200, which alone ends a delivery."""
        gate = self._gates.setdefault(
            delivery.url, asyncio.Semaphore(self._settings.concurrency)
        )
        async with gate:
            result = await self._post(delivery)
        delivery.attempts.append(result)
        if result["http"] == 200:
            delivery.state = "delivered"
        return result["http"] == 200

    async def _post(self, delivery: Delivery) -> dict:
        headers = {"Content-Type": "application/json"}
        if delivery.signature is not None:
            headers["X-Hub-Signature-256"] = delivery.signature
        at, begin = self._clock.now(), time.monotonic()
        http, answer, error = await self._ask(
            "POST", delivery.url, data=delivery.body, headers=headers
        )
        seconds = round(time.monotonic() - begin, 4)
        result = {"at": at, "http": http, "error": error, "answer": answer}
        return result | {"seconds": seconds}

    async def _ask(self, method: str, url: str, **options) -> tuple:
        """Status, answer and error of a call: one of status and error is None."""
        timeout = aiohttp.ClientTimeout(self._settings.callback_timeout)
        options |= {"allow_redirects": False, "timeout": timeout}
        try:
            async with self._session.request(method, url, **options) as response:
                text = await response.text(errors="replace")
                return response.status, text[:500], None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return None, "", f"{type(error).__name__}: {error}"

    # -- on demand --------------------------------------------------------------------

    async def send_raw(
        self, app: App, url: str, body: bytes, signature: str | None
    ) -> Delivery:
        """One attempt with any bytes and any signature header, never repeated."""
        delivery = self._new(app, url, body, signature, ["raw"])
        if not await self.attempt(delivery):
            delivery.state = "given_up"
        return delivery

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """The very same bytes once more, as Meta may do without reason."""
        await self.attempt(delivery)
        return delivery

    async def verify(self, url: str, token: str) -> dict:
        """Meta's GET on a new callback: {ok, http, body, challenge, error}."""
        challenge = self._ids.number(10)
        parameters = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": token,
        }
        http, body, error = await self._ask("GET", url, params=parameters)
        return {
            "ok": http == 200 and body == challenge,
            "http": http,
            "body": body,
            "challenge": challenge,
            "error": error,
        }
