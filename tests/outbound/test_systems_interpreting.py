"""An OpenAI-compatible model over HTTP: what it is told, and that only a choice of the list counts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from campaigns.flow.effects import Request
from dialer.interpreting import SYSTEM
from outbound.settings import Settings
from outbound.systems.interpreting import Interpreter, is_for_it
from outbound.webhooks.posting import Poster
from outbound.webhooks.targets import PrivateTargets

pytestmark = pytest.mark.integration

CHOICES = {"yes": "yes please", "no": "no thank you"}
ASKED = Request(
    system=SYSTEM,
    operation="choose",
    values={"text": "sounds lovely", "language": "en", "choices": json.dumps(CHOICES)},
    deadline_s=1.5,
    key="1",
)


class Model:
    """A chat completions endpoint."""

    def __init__(self) -> None:
        self.says: Any = "yes"
        self.status = 200
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.url = ""

    async def complete(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.json()))
        body = {"choices": [{"message": {"role": "assistant", "content": self.says}}]}
        return web.json_response(body if self.says is not None else {}, status=self.status)


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    made = Model()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", made.complete)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    await runner.cleanup()


async def ask(model: Model, tmp_path: Path) -> Any:
    settings = Settings(data_dir=tmp_path, llm_url=model.url, llm_model="small", llm_key="secret-key")
    async with Poster(PrivateTargets(everything=True)) as poster:
        return await Interpreter(settings, poster).ask(ASKED)


async def test_it_is_told_the_choices_and_answers_with_one(model: Model, tmp_path: Path) -> None:
    assert (await ask(model, tmp_path)).result == "yes"
    [(headers, body)] = model.got
    assert headers["Authorization"] == "Bearer secret-key"
    assert (body["model"], body["temperature"]) == ("small", 0)
    told = body["messages"][1]["content"]
    assert "- yes: yes please" in told
    assert "Words (en): sounds lovely" in told


@pytest.mark.parametrize("says", ["Yes.", " `yes` ", '"YES"'])
async def test_a_choice_counts_however_it_is_dressed(model: Model, tmp_path: Path, says: str) -> None:
    model.says = says
    assert (await ask(model, tmp_path)).result == "yes"


@pytest.mark.parametrize("says", ["none", "opt_out", "yes or no", "", None, 7])
async def test_nothing_else_is_a_choice(model: Model, tmp_path: Path, says: Any) -> None:
    model.says = says
    replied = await ask(model, tmp_path)
    assert (replied.result, bool(replied.problem)) == ("", True)


async def test_a_model_that_fails_is_nothing(model: Model, tmp_path: Path) -> None:
    model.status = 500
    assert "answered 500" in (await ask(model, tmp_path)).problem


def test_it_is_off_by_default_and_its_key_is_never_shown() -> None:
    assert Settings().llm_url == ""
    assert "secret-key" not in repr(Settings(llm_key="secret-key"))
    assert is_for_it(ASKED)
    assert not is_for_it(Request(system="parcels", operation="x", values={}, deadline_s=1, key="1"))
