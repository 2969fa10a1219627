"""A line process on real SIP: customer and agent are two dialogs of another user agent, joined by the robot."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.engines import EngineOptions
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.legs import Trunk
from dialer.messages import EventKind
from tests.dialer.customers import Exchange, FarEnd
from tests.dialer.lines import Host
from tests.dialer.telephone import loudness, tone

pytestmark = pytest.mark.integration

CUSTOMER, AGENT = "+14155550123", "agent"
AGENT_HZ = 1500.0


async def presses_zero(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.press("0")
    await customer.stay()


async def takes_it(agent: FarEnd) -> None:
    await agent.answer()
    await agent.wait(0.5)
    await agent.play(tone(AGENT_HZ, 1.0))
    await agent.hang_up()


async def test_a_customer_is_handed_to_an_agent(tmp_path: Path, scripted_speech: list[str]) -> None:
    exchange = Exchange({CUSTOMER: presses_zero, AGENT: takes_it})
    engine = Pjsua2Engine(EngineOptions(), exchange)
    await engine.start()
    host = Host(tmp_path, scripted_speech)
    try:
        line = await host.start("--engine", "pjsua2", module="dialer.line")
        assert line.ready.capacity >= 2
        address = engine.addresses["udp"]
        request = host.place(CUSTOMER, trunk=Trunk(name="lab", host=address), agent_uri=f"sip:{AGENT}@{address}")
        result = await host.result(request)
        await exchange.finished()
        assert await host.line.stop() == 0
    finally:
        host.line.kill()
        await engine.stop()
    assert result.disposition is Disposition.HANDED_OFF
    states = [event.data["state"] for event in host.told(request) if event.kind is EventKind.HANDOFF]
    assert states == ["ringing", "connected", "ended"]
    assert exchange.ends[AGENT].leg.invitation.headers["x-outbound-summary"] == ["Acme, Monday"]
    heard, _ = exchange.ends[CUSTOMER].leg.tape()
    assert loudness(heard, AGENT_HZ) > 5 * loudness(heard, AGENT_HZ + 200)
    assert result.timings.answer_to_audio_s is not None
