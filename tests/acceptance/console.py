"""What the browser tests stand on: a web process whose calls are moved by hand, and a tab of Chromium.

What a line process would tell is written through the ledger; nothing of the page or of the server is replaced.
"""

from __future__ import annotations

import json
import wave
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Page
from sqlalchemy import update

from campaigns.dispositions import Disposition
from dialer.messages import CallEvent, EventKind, Timings, Turn
from outbound.api.app import create_app
from outbound.services import Services
from outbound.settling.ledger import Ledger
from outbound.store import events
from outbound.store.attempts import Claim
from outbound.store.schema import contacts
from tests.outbound.world import World

ANA, BEN = "+447700900101", "+447700900102"
NAMES = {ANA: "Ana Reyes", BEN: "Ben Okafor"}
QUESTION = "Your parcel comes tomorrow. Will you be at home? Say yes or no, or press one or two."
AXE = Path(__file__).parents[2] / "outbound" / "console" / "node_modules" / "axe-core" / "axe.min.js"
LOUD = frozenset({"error", "warning"})
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
AT_REST = """Promise.all(document.getAnimations()
  .filter((animation) => Number.isFinite(animation.effect.getComputedTiming().endTime))
  .map((animation) => animation.finished))"""


@dataclass
class Site:
    """A web process on a port of its own, and the hand that moves its calls."""

    services: Services
    world: World
    ledger: Ledger
    key: str
    port: int
    runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.runner = web.AppRunner(create_app(self.services), access_log=None, shutdown_timeout=1.0)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    async def campaign(self, name: str, numbers: list[str]) -> str:
        """A running campaign whose calls are due."""
        campaign_id = await self.world.campaign(numbers, name=name)

        def unit(connection: Any) -> None:
            for number in numbers:
                mine = (contacts.c.campaign_id == campaign_id) & (contacts.c.number == number)
                connection.execute(update(contacts).where(mine).values(name=NAMES[number]))
            events.append(connection, at=self.world.now, kind="campaign.started", campaign_id=campaign_id)

        await self.world.store.write(unit)
        return campaign_id

    async def dial(self) -> Claim:
        """Take what is due next to its INVITE."""
        (item,) = await self.world.claim(limit=1)
        assert await self.world.intend(item) is not None
        return item

    async def number(self, item: Claim) -> str:
        """Who is called."""
        return next(str(row["number"]) for row in await self.world.attempts() if row["id"] == item.attempt_id)

    def tell(self, item: Claim, kind: EventKind, **data: Any) -> None:
        """What a line process tells of a call."""
        at = datetime.fromtimestamp(self.world.now, UTC)
        self.ledger.note(CallEvent(attempt_id=item.attempt_id, fence=item.fence, kind=kind, at=at, data=data))

    async def end(self, item: Claim, disposition: Disposition, outcome: str) -> None:
        """The call is over, with a recording and what was measured in it."""
        self.tell(item, EventKind.ENDED, by="us", code=200, reason="")
        name = f"{item.attempt_id}.wav"
        folder = self.services.settings.recordings_dir
        folder.mkdir(parents=True, exist_ok=True)
        with wave.open(str(folder / name), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(4 * 8000))
        result = self.world.result(
            item,
            disposition,
            outcome=outcome,
            answered_at=datetime.fromtimestamp(self.world.now, UTC),
            transcript=(
                Turn(who="robot", text=QUESTION, at_s=0.2, interrupted=True),
                Turn(who="customer", text="yes I will", at_s=3.9, intent="yes"),
            ),
            timings=Timings(answer_to_audio_s=0.21, turn_gaps_s=(0.52, 0.61, 0.7), duration_s=9.0),
            recording=name,
        )
        await self.ledger.close_account(result)


@dataclass
class Window:
    """A tab of Chromium and everything in it that should not have happened."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    sent_elsewhere: list[str] = field(default_factory=list)

    @classmethod
    def watch(cls, page: Page, url: str) -> Window:
        """Note errors and warnings of the page, and requests to anywhere but ``url``."""
        window = cls(page)
        page.on("pageerror", lambda error: window.complaints.append(str(error)))
        page.on("console", lambda said: window.complaints.append(said.text) if said.type in LOUD else None)
        page.on(
            "request", lambda sent: window.sent_elsewhere.append(sent.url) if not sent.url.startswith(url) else None
        )
        return window

    async def accessible(self) -> list[str]:
        """What axe-core finds against WCAG 2 A and AA, once everything that moves has come to rest."""
        await self.page.evaluate(AT_REST)
        found = await self.page.evaluate(f"{AXE.read_text()}; axe.run({{runOnly: {json.dumps(WCAG)}}})")
        return [f"{item['id']}: {[node['html'] for node in item['nodes']]}" for item in found["violations"]]
