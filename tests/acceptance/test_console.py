"""The console in a real browser: somebody signs in and watches calls happen, over the real REST API, store and stream.

It looks at the page, what the page asks for, and the store. Long, because all of it is one page on one kind of site.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from re import DOTALL
from re import compile as pattern
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from sqlalchemy import insert, select, update

from campaigns.dispositions import Disposition
from dialer.messages import EventKind
from outbound.callflows import CallflowLibrary
from outbound.ids import new_id
from outbound.operator_key import operator_key
from outbound.services import Services
from outbound.settings import Settings
from outbound.settling.ledger import Ledger
from outbound.settling.settle import leave_undetermined
from outbound.store import Store, events
from outbound.store import campaigns as campaign_store
from outbound.store.schema import attempts, opt_outs, paces
from outbound.stream import EventStream
from tests.acceptance.console import ANA, AXE, BEN, NAMES, QUESTION, Site, Window
from tests.outbound.world import World

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=20_000)
FITS = "document.documentElement.scrollWidth <= innerWidth"
EXPECTED = "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
LIGHT_AND_WIDE, DARK_AND_NARROW = {"color_scheme": "light", "width": 1280}, {"color_scheme": "dark", "width": 390}
LOOKS = pytest.mark.parametrize("look", [LIGHT_AND_WIDE, DARK_AND_NARROW], ids=["light and wide", "dark and narrow"])
Open = Callable[..., Awaitable[Window]]


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    settings = Settings(data_dir=tmp_path, port=0)
    store = Store(settings.sqlalchemy_url)
    store.start()
    world = World(store)
    await world.trunk()
    stream = EventStream(store)
    stream.start()

    async def enqueue(*_: Any) -> None:
        """Nothing is planned here: every attempt of these tests is due already."""

    services = Services(
        settings=settings,
        store=store,
        callflows=CallflowLibrary(store),
        stream=stream,
        enqueue=enqueue,
        kick=lambda: None,
        clock=lambda: world.now,
    )
    ledger = Ledger(store, services.clock)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = await operator_key(store, tmp_path, now=world.now)
    made = Site(services=services, world=world, ledger=ledger, key=key, port=port)
    async with running(ledger):
        await made.start()
        yield made
        await made.stop()
    store.close()


@asynccontextmanager
async def running(ledger: Ledger) -> AsyncIterator[None]:
    task = asyncio.create_task(ledger.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chromium() -> AsyncIterator[Browser]:
    found = shutil.which("chromium")
    assert found, "Chromium is not installed: apt-get install chromium (make test does it)"
    assert AXE.exists(), "axe-core is not installed: run `npm ci` in outbound/console (pip install -e . does it)"
    async with async_playwright() as engine:
        started = await engine.chromium.launch(executable_path=found, args=["--headless=new", "--no-sandbox"])
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="module")
async def browser(site: Site, chromium: Browser) -> AsyncIterator[Open]:
    """Opens tabs that are closed after the test."""
    async with AsyncExitStack() as opened:

        async def window(**options: Any) -> Window:
            context = await chromium.new_context(reduced_motion="reduce", **options)
            opened.push_async_callback(context.close)
            return Window.watch(await context.new_page(), site.url)

        yield window


def section(page: Page, heading: str) -> Locator:
    return page.get_by_role("region", name=heading)


@LOOKS
async def test_a_call_is_watched_word_by_word_until_its_outcome(
    site: Site, browser: Open, look: dict[str, Any]
) -> None:
    window = await browser(color_scheme=look["color_scheme"], viewport={"width": look["width"], "height": 900})
    page = window.page
    await page.goto(f"{site.url}/#key={site.key}")
    await expect(page.get_by_text("No campaigns yet.")).to_be_visible()
    assert page.url == f"{site.url}/", "the key stays in the address bar"
    await expect(page.get_by_text(f"curl {site.url}/v1/campaigns")).to_be_visible()
    assert await window.accessible() == []

    await site.campaign("Parcels tomorrow", [ANA, BEN])
    campaign = section(page, "Campaigns").get_by_role("article", name="Parcels tomorrow")
    await expect(campaign).to_contain_text("0 of 2 contacts done")
    await expect(campaign.get_by_role("button", name="Pause")).to_be_visible()

    item = await site.dial()
    calls = section(page, "Calls in progress")
    number = await site.number(item)
    name = NAMES[number]
    card = calls.get_by_role("article", name=f"Call with {name}")
    await expect(card).to_contain_text(number)
    await expect(card).to_contain_text("Dialling")
    site.tell(item, EventKind.RINGING, code=180, early_media=False)
    await expect(card).to_contain_text("Ringing")
    site.tell(item, EventKind.ANSWERED, codec="PCMU")
    site.tell(item, EventKind.STEP, step="ask_home", type="ask")
    site.tell(item, EventKind.SAID, text=QUESTION, language="en")
    await expect(card).to_contain_text("Ask home")
    await expect(card.get_by_role("log")).to_contain_text(QUESTION)
    site.tell(item, EventKind.INTERRUPTED, text=QUESTION, heard_text=QUESTION[:48], played_ms=2900)
    site.tell(item, EventKind.HEARING, text="yes I")
    await expect(card.get_by_text("interrupted")).to_be_visible()
    await expect(card.locator("s")).to_have_text(QUESTION[48:].strip())
    await expect(card.get_by_text("yes I…")).to_be_visible()
    site.tell(item, EventKind.HEARD, text="yes I will", confidence=0.93, intent="yes", engine="vosk")
    await expect(card.get_by_text("yes I will")).to_be_visible()
    await expect(card.get_by_text("yes I…")).to_be_hidden()
    await expect(card.get_by_text("yes", exact=True)).to_be_visible()
    site.tell(item, EventKind.DIGITS, digits="1", intent="digit:1")
    await expect(card.locator("kbd")).to_have_text("1")
    assert await window.accessible() == []

    await site.end(item, Disposition.ACCEPTED, "will_be_home")
    feed = section(page, "Recently ended")
    await expect(feed).to_contain_text("Accepted")
    await expect(feed).to_contain_text("Will be home")
    await expect(feed).to_contain_text("gap 0.61 s")
    await expect(card).to_be_hidden()
    await expect(campaign).to_contain_text("1 of 2 contacts done")
    await expect(section(page, "Outcomes")).to_contain_text("Accepted")

    await feed.get_by_role("button", name=name, exact=True).click()
    dialog = page.get_by_role("dialog", name=name)
    await expect(dialog).to_contain_text("First word after")
    await expect(dialog).to_contain_text("Receipts")
    await expect(dialog).to_contain_text("Timeline")
    await expect(dialog.locator("audio")).to_have_js_property("duration", 1)
    assert await window.accessible() == []
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page is wider than its window"
    )
    assert (window.complaints, window.sent_elsewhere) == ([], [])


async def test_an_opt_out_counts_at_once_and_a_call_under_way_is_found_when_the_page_opens(
    site: Site, browser: Open
) -> None:
    await site.campaign("Renewals", [ANA])
    item = await site.dial()
    site.tell(item, EventKind.ANSWERED, codec="PCMU")
    site.tell(item, EventKind.SAID, text="Your membership ends on Friday.", language="en")
    window = await browser()
    page = window.page
    await page.goto(f"{site.url}/#key={site.key}")
    card = section(page, "Calls in progress").get_by_role("article", name="Call with Ana Reyes")
    await expect(card).to_contain_text("Your membership ends on Friday.")
    opt_outs = page.locator("dl div", has_text="Opt-outs").locator("dd")
    await expect(opt_outs).to_have_text(pattern("^0 "))
    site.tell(item, EventKind.HEARD, text="stop calling me", confidence=0.9, intent="opt_out", engine="vosk")
    site.tell(item, EventKind.OPT_OUT, words="stop calling me", scope="all")
    await expect(card).to_contain_text("Opt-out stored")
    await expect(opt_outs).to_have_text(pattern("^1 "))
    await site.end(item, Disposition.OPTED_OUT, "")
    await expect(section(page, "Recently ended")).to_contain_text("Opted out")
    assert window.complaints == []


async def test_a_campaign_is_paused_resumed_and_cancelled_by_keyboard(site: Site, browser: Open) -> None:
    await site.campaign("Parcels tomorrow", [ANA])
    window = await browser()
    page = window.page
    await page.goto(f"{site.url}/#key={site.key}")
    card = section(page, "Campaigns").get_by_role("article", name="Parcels tomorrow")
    await card.get_by_role("button", name="Pause").press("Enter")
    await expect(card).to_contain_text("Paused")
    await card.get_by_role("button", name="Resume").press("Enter")
    await expect(card).to_contain_text("Running")
    await card.get_by_role("button", name="Cancel").press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(card).to_contain_text("Running")
    await card.get_by_role("button", name="Cancel").press("Enter")
    await dialog.get_by_role("button", name="Cancel the campaign").press("Enter")
    await expect(card).to_contain_text("Cancelled")
    assert [row["state"] for row in await site.world.attempts()] == ["done"]
    assert window.complaints == []


async def test_what_wants_a_person_is_shown_and_an_undetermined_call_is_settled(site: Site, browser: Open) -> None:
    """Nobody knows whether Ana was rung; the trunk rests; the campaign has paused itself."""
    campaign = await site.campaign("Parcels tomorrow", [ANA, BEN])
    item = await site.dial()
    window = await browser()
    page = window.page
    await page.goto(f"{site.url}/#key={site.key}")
    await expect(page.get_by_text("Wants your attention")).to_be_hidden()

    def lost(connection: Any) -> None:
        row = connection.execute(select(attempts).where(attempts.c.id == item.attempt_id)).mappings().one()
        leave_undetermined(connection, row, now=site.world.now)
        breaker = {"outcomes": [[site.world.now, True]] * 30, "opened_at": site.world.now, "trips": 1}
        tripped = breaker | {"rest_until": site.world.now + 3600}
        connection.execute(update(paces).where(paces.c.name == "trunk:default").values(breaker=tripped))
        events.append(connection, at=site.world.now, kind="trunk.tripped", data={"trunk": "default"})
        why = "40 of the last 40 calls failed within 3600 s"
        campaign_store.pause(connection, campaign, reason=why, cause="breaker", now=site.world.now)

    await site.world.store.write(lost)
    attention = section(page, "Wants your attention")
    await expect(attention).to_contain_text("may have been called for Parcels tomorrow")
    await expect(attention).to_contain_text("Trunk default fails too often: 30 of the last 30 calls failed")
    card = section(page, "Campaigns").get_by_role("article", name="Parcels tomorrow")
    await expect(card).to_contain_text("It paused itself: 40 of the last 40 calls failed")
    assert await window.accessible() == []
    await attention.get_by_role("button", name="Settle the call").press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What became of it").select_option("No answer")
    await dialog.get_by_label("How you know").fill("the trunk's records")
    assert await window.accessible() == []
    await dialog.get_by_role("button", name="Settle").press("Enter")
    await expect(dialog).to_contain_text("No answer")
    await page.keyboard.press("Escape")
    await expect(attention).not_to_contain_text("may have been called")
    settled = next(row for row in await site.world.attempts() if row["id"] == item.attempt_id)
    assert (settled["state"], settled["disposition"]) == ("done", "no_answer")
    assert window.complaints == []


async def test_a_lost_server_is_said_and_what_was_missed_is_caught_up(site: Site, browser: Open) -> None:
    await site.campaign("Parcels tomorrow", [ANA])
    page = (await browser()).page
    await page.goto(f"{site.url}/#key={site.key}")
    await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    await site.stop()
    banner = page.get_by_text("The connection to the server is lost")
    await expect(banner).to_be_visible()
    item = await site.dial()
    site.tell(item, EventKind.ANSWERED, codec="PCMU")
    site.tell(item, EventKind.SAID, text="Said while nobody looked.", language="en")
    await site.start()
    await expect(banner).to_be_hidden()
    await expect(section(page, "Calls in progress")).to_contain_text("Said while nobody looked.")


async def test_a_wrong_key_is_refused_in_words_and_the_right_one_opens_the_page(site: Site, browser: Open) -> None:
    window = await browser()
    page = window.page
    await page.goto(site.url)
    await page.get_by_label("Operator's key").fill("wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await window.accessible() == []
    await page.get_by_label("Operator's key").fill(site.key)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("No campaigns yet.")).to_be_visible()
    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Operator's key")).to_be_visible()
    assert await page.context.cookies() == []


async def test_the_command_shown_to_a_newcomer_makes_a_campaign_that_appears_at_once(site: Site, browser: Open) -> None:
    page = (await browser(viewport={"width": 390, "height": 844})).page
    await page.goto(f"{site.url}/#key={site.key}")
    command = page.get_by_label("Command that makes a campaign", exact=True)
    await expect(command).to_be_visible()
    found = pattern(r"^curl (\S+) .*--json '(.*)'$", DOTALL).match((await command.inner_text()).strip())
    assert found is not None
    headers = {"Authorization": f"Bearer {site.key}", "Content-Type": "application/json"}
    async with ClientSession() as client, client.post(found[1], data=found[2], headers=headers) as answer:
        assert answer.status == 201, await answer.text()
    card = section(page, "Campaigns").get_by_role("article", name="Parcels today")
    await expect(card).to_contain_text("Draft")
    await expect(card).to_contain_text("No contacts yet")
    assert await page.evaluate(FITS), "the page is wider than its window"


async def in_vienna(site: Site, browser: Open, look: dict[str, Any]) -> tuple[Window, list[str]]:
    """A signed-in operator's tab, with what it asks for."""
    scheme, size = look["color_scheme"], {"width": look["width"], "height": 900}
    window = await browser(color_scheme=scheme, viewport=size, timezone_id="Europe/Vienna", locale="en-GB")
    asked: list[str] = []
    window.page.on("request", lambda sent: asked.append(sent.url))
    await window.page.goto(f"{site.url}/#key={site.key}")
    await expect(window.page.get_by_text("Connected", exact=True)).to_be_attached()
    return window, asked


@LOOKS
async def test_the_gate_answers_in_words_when_somebody_may_be_called_and_why_not_now(
    site: Site, browser: Open, look: dict[str, Any]
) -> None:
    campaign_id = await site.campaign("Parcels tomorrow", [ANA, BEN])
    window, asked = await in_vienna(site, browser, look)
    page = window.page
    await page.get_by_role("button", name="May we call?").press("Enter")
    dialog = page.get_by_role("dialog", name="May we call?")
    number, answer = dialog.get_by_label("Telephone number"), dialog.get_by_role("heading", level=3)
    assert await window.accessible() == []
    await number.fill("0800 nonsense")
    await number.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("write it as +")
    await expect(number).to_have_attribute("aria-invalid", "true")
    assert await window.accessible() == []

    await number.fill("+1 212 555 0123")
    await dialog.get_by_label("When, on your clock").fill("2026-11-24T05:00")
    await dialog.get_by_role("button", name="Ask the gate").press("Enter")
    await expect(answer.first).to_have_text("Not then")
    await expect(answer.first).to_be_focused()
    await expect(answer.first).to_be_in_viewport()
    for said in (
        "24 Nov 2026, 08:00 for the customer, in New York",
        "24 Nov 2026, 14:00 for you, in Vienna",
        "23 Nov 2026, 23:00, in New York",
        "“night” in Everywhere: rules of the house, version",
        "H: a rule of the house, not of the law",
        "America/New_York",
        "United States (US), US-NY",
    ):
        await expect(dialog).to_contain_text(said)
    assert await window.accessible() == []
    assert await page.evaluate(FITS), "the page is wider than its window"

    await number.fill(ANA)
    await dialog.get_by_role("combobox", name="Campaign", exact=True).select_option(label="Parcels tomorrow")
    await dialog.get_by_label("When, on your clock").fill("")
    await dialog.get_by_role("button", name="Ask the gate").press("Enter")
    await expect(answer.first).to_have_text("Yes, we may call")
    await page.evaluate(f"fetch('/v1/campaigns/{campaign_id}/pause', {{method: 'POST'}})")
    await expect(dialog).to_contain_text("But the campaign itself calls nobody: it is paused.")
    assert [url for url in asked if ANA[1:] in url or "2125550123" in url] == [], "a number stands in an address"
    async with page.expect_popup() as opened:
        await dialog.get_by_role("link", name="All evidence").press("Enter")
    await expect((await opened.value).get_by_role("heading", level=1)).to_contain_text(ANA)
    assert (window.complaints, window.sent_elsewhere) == ([EXPECTED], [])


@LOOKS
async def test_a_refused_attempt_says_by_which_rule_and_the_gate_says_whether_that_still_holds(
    site: Site, browser: Open, look: dict[str, Any]
) -> None:
    await site.campaign("Parcels tomorrow", [ANA])
    (item,) = await site.world.claim(limit=1)
    # As one that arrives between the claim and the intent: nothing that waits is cancelled by it.
    row = {"id": new_id(), "number": ANA, "scope": "all", "source": "rest", "created_at": site.world.now}
    await site.world.store.write(lambda connection: connection.execute(insert(opt_outs), row))
    assert await site.world.intend(item) is None
    window, asked = await in_vienna(site, browser, look)
    page = window.page
    await section(page, "Recently ended").get_by_role("button", name="Ana Reyes", exact=True).click()
    attempt = page.get_by_role("dialog", name="Ana Reyes")
    await attempt.locator("summary", has_text="The customer asked not to be reached.").press("Enter")
    await expect(attempt).to_contain_text(f"The customer’s own opt-out {row['id']}")
    await expect(attempt).to_contain_text("Never, by what was known then")
    assert await window.accessible() == []
    why = attempt.get_by_role("button", name="Why was this person not called?")
    await why.press("Enter")
    dialog = page.get_by_role("dialog", name="May we call?")
    await expect(dialog.get_by_label("Telephone number")).to_have_value(ANA)
    campaign = dialog.get_by_role("combobox", name="Campaign", exact=True)
    await expect(campaign.locator("option:checked")).to_have_text("Parcels tomorrow")
    await expect(dialog.get_by_role("heading", level=3).first).to_have_text("Never, as things stand")
    await expect(dialog).to_contain_text(f"The customer’s own opt-out {row['id']}")
    assert await window.accessible() == []
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(why).to_be_focused()
    assert [url for url in asked if ANA[1:] in url] == [], "a number stands in an address"
    assert (window.complaints, window.sent_elsewhere) == ([], [])


@LOOKS
async def test_a_campaign_shows_how_many_may_be_reached_in_each_of_the_next_hours(
    site: Site, browser: Open, look: dict[str, Any]
) -> None:
    await site.campaign("Parcels tomorrow", [ANA, BEN])
    window, asked = await in_vienna(site, browser, look)
    card = section(window.page, "Campaigns").get_by_role("article", name="Parcels tomorrow")
    await expect(card).to_be_visible()
    assert not [url for url in asked if "forecast" in url], "it was asked for before anybody wanted to see it"
    await card.locator("summary", has_text="Next 24 hours").press("Enter")
    await expect(card).to_contain_text("Of 2 contacts left, 2 may be reached in these hours.")
    hours = card.get_by_role("list", name="Contacts that may be reached, by hour").get_by_role("listitem")
    await expect(hours).to_have_count(24)
    await expect(hours.nth(0)).to_contain_text("13:00: 2")
    await expect(hours.nth(9)).to_contain_text("22:00: 0")
    await expect(hours.nth(20)).to_contain_text("09:00: 2")
    assert await window.accessible() == []
    assert await window.page.evaluate(FITS), "the page is wider than its window"
    assert (window.complaints, window.sent_elsewhere) == ([], [])


async def test_the_api_browser_lists_every_operation_and_asks_nobody_else(site: Site, browser: Open) -> None:
    window = await browser()
    page = window.page
    answer = await page.goto(f"{site.url}/docs")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy, "a script of somebody else's, or one in the page, could run"
    described = await page.evaluate("fetch('/openapi.json').then(answer => answer.json())")
    methods = {"get", "post", "put", "patch", "delete"}
    wanted = sum(len(methods & set(operations)) for operations in described["paths"].values())
    await expect(page.locator(".opblock")).to_have_count(wanted)
    assert wanted > 20
    await page.locator(".opblock-summary-control").first.click()
    await expect(page.locator(".opblock-body").first).to_be_visible()
    assert await window.accessible() == []
    assert (window.complaints, window.sent_elsewhere) == ([], [])
