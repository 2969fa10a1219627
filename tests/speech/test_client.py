"""Clients and real speech processes: recognition, deadlines, crashes, the prompt cache."""

from __future__ import annotations

import asyncio
import shutil
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from speech import audio, modem, wire
from speech.client import RecognizerClient, SynthesizerClient
from speech.engine_thread import EngineThread
from speech.prompts import PromptCache, key
from speech.recognizing import RecognizerService
from speech.seams import ModelMissing, NothingToSay, SpeechError, Transcript
from speech.synthesizers.scripted import Scripted as ScriptedVoice
from speech.synthesizing import SynthesizerService
from speech.worker_spec import Kind, WorkerSpec
from tests.speech.conftest import Start, by_telephone

pytestmark = pytest.mark.integration

Close = Callable[[object], None]


@pytest.fixture
async def closing() -> AsyncIterator[Callable[[object], None]]:
    """Closes clients in the end."""
    clients: list[RecognizerClient | SynthesizerClient] = []
    yield clients.append
    for client in clients:
        await client.close()


def recognizer(folder: Path, name: str = "r") -> WorkerSpec:
    return WorkerSpec(kind=Kind.RECOGNIZER, engine="scripted", socket=folder / f"{name}.sock", models=folder)


def voice(folder: Path) -> WorkerSpec:
    return WorkerSpec(kind=Kind.SYNTHESIZER, engine="scripted", socket=folder / "v.sock", models=folder)


def said(text: str) -> bytes:
    return by_telephone(modem.encode(text).tobytes())


def feed(hearing: object, pcm: bytes) -> None:
    for start in range(0, len(pcm), 320):
        hearing.feed(pcm[start : start + 320])


async def test_real_words_through_real_processes(run_folder: Path, start: Start, closing: Close) -> None:
    ears, mouth = await asyncio.gather(
        start(WorkerSpec(kind=Kind.RECOGNIZER, socket=run_folder / "r.sock", models=run_folder)),
        start(WorkerSpec(kind=Kind.SYNTHESIZER, socket=run_folder / "v.sock", models=run_folder)),
    )
    assert (ears.ready["engine"], mouth.ready["engine"]) == ("whisper", "auto")
    hearer = RecognizerClient([ears.spec.socket])
    speaker = SynthesizerClient(mouth.spec.socket)
    closing(hearer)
    closing(speaker)
    speech = await speaker.synthesize("Stop calling me.", "en", "+steady")
    assert speech.voice == "piper:en_US-joe-medium"
    hearing = hearer.hear("en")
    feed(hearing, by_telephone(speech.pcm))
    heard = await hearing.result(20.0)
    assert heard.text.lower().startswith("stop calling me")
    assert (await speaker.synthesize("안녕하세요", "ko")).voice == "pyttsx3:ko"


async def test_partials_come_while_it_sounds_and_the_result_in_the_end(
    run_folder: Path, start: Start, closing: Close
) -> None:
    client = RecognizerClient([(await start(recognizer(run_folder))).spec.socket])
    closing(client)
    assert await client.ready("en") == "scripted"
    partials: list[str] = []
    hearing = client.hear("en", ("yes", "no"), on_partial=partials.append)
    feed(hearing, said("I will be at home on Friday"))
    heard = await hearing.result()
    assert heard == Transcript(text="I will be at home on Friday", confidence=1.0, engine="scripted", cpu_s=heard.cpu_s)
    assert partials
    assert heard.text.startswith(partials[0])
    assert await hearing.result() is heard  # nothing more was fed: nobody is asked
    hearing.close()
    hearing.close()


async def test_asked_early_and_again(run_folder: Path, start: Start, closing: Close) -> None:
    client = RecognizerClient([(await start(recognizer(run_folder))).spec.socket])
    closing(client)
    hearing = client.hear("en")
    feed(hearing, said("Well, tomorrow"))
    assert (await hearing.result()).text == "Well, tomorrow"
    feed(hearing, said("at three"))
    assert (await hearing.result()).text == "Well, tomorrow at three"


async def test_an_early_question_may_be_taken_back(run_folder: Path, start: Start, closing: Close) -> None:
    client = RecognizerClient([(await start(recognizer(run_folder))).spec.socket])
    closing(client)
    await client.ready("en")
    hearing = client.hear("en")
    feed(hearing, said("Well"))
    early = asyncio.create_task(hearing.result())
    await asyncio.sleep(0)
    early.cancel()
    feed(hearing, said("yes"))
    assert (await hearing.result()).text == "Well yes"
    assert early.cancelled()


async def test_a_crash_in_the_middle_costs_no_word(run_folder: Path, start: Start, closing: Close) -> None:
    first, second = await asyncio.gather(start(recognizer(run_folder, "a")), start(recognizer(run_folder, "b")))
    client = RecognizerClient([first.spec.socket, second.spec.socket])
    closing(client)
    await client.ready("en")
    pcm = said("Please send me the invoice again")
    hearings = [client.hear("en") for _ in range(4)]
    for hearing in hearings:
        feed(hearing, pcm[: len(pcm) // 2])
    await first.kill()
    for hearing in hearings:
        feed(hearing, pcm[len(pcm) // 2 :])
    results = await asyncio.gather(*(hearing.result(20.0) for hearing in hearings))
    assert {result.text for result in results} == {"Please send me the invoice again"}


async def test_the_only_process_comes_back(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(recognizer(run_folder))
    client = RecognizerClient([worker.spec.socket])
    closing(client)
    hearing = client.hear("en")
    feed(hearing, said("yes"))
    assert (await hearing.result()).text == "yes"
    await worker.kill()
    feed(hearing, said("no, wait"))
    waiting = asyncio.create_task(hearing.result(20.0))
    await start(recognizer(run_folder))
    assert (await waiting).text == "yes no, wait"


async def test_no_process_is_unavailable(run_folder: Path, closing: Close) -> None:
    client, speaker = RecognizerClient([run_folder / "no.sock"]), SynthesizerClient(run_folder / "no.sock")
    closing(client)
    closing(speaker)
    hearing = client.hear("en")
    feed(hearing, said("hello"))
    with pytest.raises(SpeechError, match=r"no\.sock") as caught:
        await hearing.result(0.2)
    assert (caught.value.code, caught.value.retryable) == ("recognizer_unavailable", True)
    with pytest.raises(SpeechError) as caught:
        await speaker.synthesize("hello", "en", deadline_s=0.2)
    assert caught.value.code == "synthesizer_unavailable"


async def test_a_language_that_nobody_serves_is_a_missing_model(run_folder: Path, start: Start, closing: Close) -> None:
    client = RecognizerClient([(await start(recognizer(run_folder))).spec.socket])
    closing(client)
    await client.ready("en")
    with pytest.raises(ModelMissing, match="no recogniser process serves 'zh'; they serve en"):
        await client.hear("zh").result()


async def test_utterances_go_to_the_process_with_least_to_do(run_folder: Path, start: Start, closing: Close) -> None:
    workers = await asyncio.gather(start(recognizer(run_folder, "a")), start(recognizer(run_folder, "b")))
    client = RecognizerClient([worker.spec.socket for worker in workers])
    closing(client)
    await client.ready("en")
    hearings = []
    for number in range(4):
        hearings.append(client.hear("en"))
        feed(hearings[-1], said(f"number {number}"))
        await hearings[-1].result(10.0)
    loads = [(await speaks(worker.spec.socket, {"op": "stats", "seq": 1}))["load"] for worker in workers]
    assert sum(loads) == 4
    assert min(loads) >= 1


async def speaks(socket: Path, header: dict[str, object], payload: bytes = b"") -> dict[str, object]:
    """One request on a connection of its own; returns the reply's header."""
    reader, writer = await asyncio.open_unix_connection(str(socket))
    writer.write(wire.pack(header, payload))
    while (message := await wire.read(reader)) is not None:
        if "re" in message[0]:
            break
    writer.close()
    await writer.wait_closed()
    assert message is not None
    return message[0]


async def test_what_comes_too_late_is_not_done(run_folder: Path, start: Start) -> None:
    ears, mouth = await asyncio.gather(start(recognizer(run_folder)), start(voice(run_folder)))
    render = {"op": "render", "seq": 1, "text": "hi", "language": "en", "before": 0.0}
    assert (await speaks(mouth.spec.socket, render))["error"] == "late"
    assert (await speaks(ears.spec.socket, {"op": "result", "seq": 1, "hearing": 1, "before": 0.0}))["error"] == "late"


@pytest.mark.parametrize(
    "header", [{"op": "dance", "seq": 7}, {"op": "result", "seq": 7, "hearing": 9, "before": 1e12}]
)
async def test_a_wrong_request_is_answered_with_a_code(
    run_folder: Path, start: Start, header: dict[str, object]
) -> None:
    worker = await start(recognizer(run_folder))
    reply = await speaks(worker.spec.socket, header)
    assert reply["re"] == 7
    assert str(reply["error"]).startswith("unknown_")


async def test_another_protocol_costs_only_its_own_connection(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(recognizer(run_folder))
    reader, writer = await asyncio.open_unix_connection(str(worker.spec.socket))
    await wire.read(reader)
    writer.write(struct.pack(">II", 2**31, 2**31))
    assert await reader.read() == b""
    writer.close()
    client = RecognizerClient([worker.spec.socket])
    closing(client)
    assert await client.ready("en") == "scripted"


async def test_a_full_queue_says_busy() -> None:
    class Stuck:
        name, streams = "stuck", False

        def open(self, **_: object) -> Stuck:
            return self

        def feed(self, pcm: bytes) -> None:
            return None

        def result(self) -> Transcript:
            return Transcript(text="", confidence=0.0, engine="stuck")

    service = RecognizerService(Stuck(), ("en",), limit=0)
    with pytest.raises(SpeechError) as caught:
        service.admit()
    assert caught.value.code == "busy"
    await service.close()


async def test_speech_is_rendered_once_and_then_read_from_disk(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(voice(run_folder))
    client = SynthesizerClient(worker.spec.socket, PromptCache(run_folder / "prompts"))
    closing(client)
    first = await client.synthesize("Hello. This is a robot.", "en")
    again = await client.synthesize("This is a robot.", "en")
    assert modem.decode(audio.samples(again.pcm))[0].text == "This is a robot."
    assert [message.text for message in modem.decode(audio.samples(first.pcm))] == ["Hello.", "This is a robot."]
    assert (await speaks(worker.spec.socket, {"op": "stats", "seq": 1}))["answered"] == 2


async def test_what_may_not_be_kept_goes_past_the_disk(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(voice(run_folder))
    cache = PromptCache(run_folder / "prompts")
    client = SynthesizerClient(worker.spec.socket, cache)
    closing(client)
    one, two, kept = await asyncio.gather(
        client.synthesize("Hello Ann.", "en", keep=False),
        client.synthesize("Hello Ann.", "en", keep=False),
        client.synthesize("Hello.", "en"),
    )
    assert one == two
    assert [path.stem for path in (run_folder / "prompts").glob("*/*")] == [
        key("scripted/1/data", language="en", rate=1.0, text="Hello.")
    ]
    cache.put(key("scripted/1/data", language="en", rate=1.0, text="Hello Ann."), kept)
    assert await client.synthesize("Hello Ann.", "en", keep=False) == one, "what older versions left is not used"


async def test_a_cache_that_is_deleted_meanwhile_fills_again(run_folder: Path, start: Start, closing: Close) -> None:
    client = SynthesizerClient((await start(voice(run_folder))).spec.socket, PromptCache(run_folder / "prompts"))
    closing(client)
    for _ in range(2):
        assert (await client.synthesize("Hello.", "en")).pcm
        assert len(list((run_folder / "prompts").glob("*/*.ulaw"))) == 1
        shutil.rmtree(run_folder / "prompts")


async def test_a_damaged_prompt_is_rendered_again(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(voice(run_folder))
    cache = PromptCache(run_folder / "prompts")
    client = SynthesizerClient(worker.spec.socket, cache)
    closing(client)
    before = await client.synthesize("Hello.", "en")
    path = cache.path(key("scripted/1/data", language="en", rate=1.0, text="Hello."))
    path.write_bytes(path.read_bytes()[:-3])
    assert len((await client.synthesize("Hello.", "en")).pcm) == len(before.pcm)
    assert (await speaks(worker.spec.socket, {"op": "stats", "seq": 1}))["answered"] == 2
    assert cache.get(path.stem) is not None


async def test_a_disk_that_refuses_costs_no_speech(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(voice(run_folder))
    (run_folder / "prompts").write_text("a file where a folder should be")
    client = SynthesizerClient(worker.spec.socket, PromptCache(run_folder / "prompts"))
    closing(client)
    assert (await client.synthesize("Hello.", "en")).pcm


async def test_the_first_sentence_sounds_while_the_next_is_rendered(
    run_folder: Path, start: Start, closing: Close
) -> None:
    client = SynthesizerClient((await start(voice(run_folder))).spec.socket)
    closing(client)
    parts = [part async for part in client.stream("Hello. I am a robot. Is it you?", "en")]
    assert [modem.decode(audio.samples(part.pcm))[0].text for part in parts] == [
        "Hello.",
        "I am a robot.",
        "Is it you?",
    ]
    assert parts[0].pcm.endswith(audio.silence(220))
    stopped = client.stream("One. Two. Three.", "en")
    await anext(stopped)
    await stopped.aclose()
    with pytest.raises(NothingToSay):
        await client.synthesize("  ", "en")


async def test_warming_renders_each_sentence_once(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(voice(run_folder))
    client = SynthesizerClient(worker.spec.socket, PromptCache(run_folder / "prompts"))
    closing(client)
    assert await client.warm(["Hello. Bye.", "Bye.", "Hello."], "en") == 2
    assert (await speaks(worker.spec.socket, {"op": "stats", "seq": 1}))["answered"] == 2


async def test_a_synthesiser_that_died_is_used_again(run_folder: Path, start: Start, closing: Close) -> None:
    worker = await start(voice(run_folder))
    client = SynthesizerClient(worker.spec.socket)
    closing(client)
    await client.synthesize("Hello.", "en")
    await worker.kill()
    waiting = asyncio.create_task(client.synthesize("Are you there?", "en", deadline_s=20.0))
    await start(voice(run_folder))
    assert (await waiting).seconds > 0.5


async def test_the_same_text_asked_for_at_once_is_rendered_once() -> None:
    class Counting(ScriptedVoice):
        renders = 0

        def render(self, *args: object, **kwargs: object):
            self.renders += 1
            return super().render(*args, **kwargs)

    engine = Counting()
    service = SynthesizerService(engine)
    wish = {"text": "hi", "language": "en", "before": 1e12}
    both: list[Awaitable[wire.Message]] = [service._join(wish), service._join(wish)]
    first, second = await asyncio.gather(*both)
    assert first == second
    assert engine.renders == 1
    await service.close()


async def test_what_can_wait_is_done_last_and_what_was_taken_back_never() -> None:
    thread = EngineThread()
    done: list[str] = []
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    holding = thread.submit(lambda: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result())
    jobs = [
        thread.submit(lambda: done.append("warm"), background=True),
        thread.submit(lambda: done.append("call")),
        thread.submit(lambda: done.append("taken back")),
    ]
    jobs.pop().cancel()
    gate.set()
    await asyncio.gather(holding, *jobs)
    assert done == ["call", "warm"]
    await thread.close()
