"""The SIP engine against sipp, and against itself in another process: what goes over the wire and what comes of it.

Long, because a process can hold one engine and all of these share it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import pytest
import pytest_asyncio

from campaigns.dispositions import Disposition
from dialer.causes import disposition_of, retry_after_s
from dialer.engines import EngineOptions
from dialer.engines._sip_leg import SipLeg
from dialer.engines._track import Track
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.legs import Answered, Dial, Digit, Ended, EndedBy, LegError, LegEvent, Ringing, Trunk, Trying
from tests.dialer.sipp_peer import Sipp, free_port, sipp
from tests.dialer.telephone import loudness, tone

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

E = TypeVar("E", bound=LegEvent)

NUMBER = "+447700900123"
CALLER = "+442079460000"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two self-signed certificates of this host: our engine trusts one."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("trusted", "unknown"):
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2"
        subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
        subprocess.run([*command.split(), *subject], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(certificates: Path) -> AsyncIterator[Pjsua2Engine]:
    trusted = str(certificates / "trusted.pem")
    engine = Pjsua2Engine(EngineOptions(transaction_timeout_s=1.2, tls_ca_file=trusted))
    await engine.start()
    yield engine
    await engine.stop()


class Events:
    """Every event of one leg, and waiting for the one that matters."""

    def __init__(self) -> None:
        self.seen: list[LegEvent] = []
        self._changed = asyncio.Event()

    def __call__(self, event: LegEvent) -> None:
        self.seen.append(event)
        self._changed.set()

    async def first(self, kind: type[E]) -> E:
        while True:
            for event in self.seen:
                if isinstance(event, kind):
                    return event
            assert not any(isinstance(event, Ended) for event in self.seen), self.seen
            self._changed.clear()
            await self._changed.wait()

    async def end(self) -> Ended:
        ended = await self.first(Ended)
        assert self.seen[-1] is ended
        assert sum(isinstance(event, Ended) for event in self.seen) == 1
        return ended


def trunk_to(address: str, **changes: Any) -> Trunk:
    return replace(Trunk(name="test", host=address, caller_id=CALLER), **changes)


_calls = iter(range(10_000))


def dial_to(address: str, **changes: Any) -> Dial:
    return Dial(call_id=f"attempt-{next(_calls)}.1@outbound", target=NUMBER, trunk=trunk_to(address, **changes))


async def ring(engine: Pjsua2Engine, peer: Sipp, **changes: Any) -> tuple[SipLeg, Events]:
    events = Events()
    return await engine.dial(dial_to(peer.address, **changes), events), events


async def until(true: Callable[[], bool], leg: SipLeg) -> None:
    """Wait frame by frame until something is true."""
    frame = asyncio.Event()
    leg.on_audio(lambda _: frame.set())
    while not true():
        frame.clear()
        await frame.wait()
    leg.on_audio(None)


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*?)\s*$", message, re.MULTILINE | re.IGNORECASE)
    assert found, message
    return found.group(1)


# What the network says.


@pytest.mark.parametrize(
    ("code", "phrase", "extra", "disposition", "pause_s"),
    [
        (486, "Busy Here", "X-None: 0", Disposition.BUSY, None),
        (480, "Temporarily Unavailable", "X-None: 0", Disposition.NO_ANSWER, None),
        (408, "Request Timeout", "X-None: 0", Disposition.NO_ANSWER, None),
        (404, "Not Found", "X-None: 0", Disposition.INVALID_NUMBER, None),
        (603, "Decline", "X-None: 0", Disposition.REJECTED, None),
        (603, "Network Blocked", "X-None: 0", Disposition.BLOCKED, None),
        (607, "Unwanted", "X-None: 0", Disposition.BLOCKED, None),
        (608, "Rejected", "X-None: 0", Disposition.BLOCKED, None),
        (500, "Server Internal Error", "Retry-After: 17", Disposition.FAILED, 17.0),
        (503, "Service Unavailable", "Retry-After: 30 (maintenance)", Disposition.CONGESTION, 30.0),
        (480, "Temporarily Unavailable", 'Reason: Q.850 ;cause=17 ;text="User busy"', Disposition.BUSY, None),
        (302, "Moved Temporarily", "Contact: <sip:+447700900999@127.0.0.1:9>", Disposition.REDIRECTED, None),
    ],
)
async def test_final_responses_become_dispositions(
    engine: Pjsua2Engine, code: int, phrase: str, extra: str, disposition: Disposition, pause_s: float | None
) -> None:
    async with sipp("final", keys={"code": str(code), "phrase": phrase, "extra": extra}) as peer:
        _, events = await ring(engine, peer)
        ended = await events.end()
        assert await peer.finished() == 0
    assert (ended.by, ended.code, ended.reason) == (EndedBy.PEER, code, phrase)
    assert disposition_of(ended) is disposition
    assert retry_after_s(ended) == pause_s
    name, _, value = extra.partition(":")
    assert ended.headers[name.lower()] == [value.strip()]
    assert isinstance(events.seen[0], Trying)


async def test_a_redirect_is_followed_where_the_trunk_says_so(engine: Pjsua2Engine) -> None:
    async with sipp("final", keys={"code": "486", "phrase": "Busy Here", "extra": "X-None: 0"}) as second:
        contact = f"Contact: <sip:{NUMBER}@{second.address}>"
        async with sipp("final", keys={"code": "302", "phrase": "Moved", "extra": contact}) as first:
            _, events = await ring(engine, first, follow_redirects=True)
            ended = await events.end()
            assert (await first.finished(), await second.finished()) == (0, 0)
    assert (ended.by, ended.code) == (EndedBy.PEER, 486)


async def test_early_media_then_busy(engine: Pjsua2Engine) -> None:
    async with sipp("early_media_then_busy") as peer:
        leg, events = await ring(engine, peer)
        playback = leg.play(tone(440, 1))
        ended = await events.end()
        assert await peer.finished() == 0
    assert await events.first(Ringing) == Ringing(code=183, early_media=True)
    assert (ended.by, ended.code) == (EndedBy.PEER, 486)
    assert await playback.wait() is False
    assert playback.played_ms == 0, "nothing is played into the ring"
    assert leg.tape() == (b"", b"")


async def test_giving_up_sends_cancel(engine: Pjsua2Engine) -> None:
    async with sipp("ring_until_cancel") as peer:
        leg, events = await ring(engine, peer)
        assert (await events.first(Ringing)).code == 180
        await leg.hangup(reason="nobody answered")
        await leg.hangup()
        ended = await events.end()
        assert await peer.finished() == 0
        assert 'text="nobody answered"' in header(peer.received("CANCEL")[0], "Reason")
    assert (ended.by, ended.code) == (EndedBy.US, 487)
    assert disposition_of(ended) is Disposition.NO_ANSWER


async def test_a_trunk_out_of_reach_is_a_disposition(engine: Pjsua2Engine) -> None:
    events = Events()
    await engine.dial(dial_to(f"127.0.0.1:{free_port()}"), events)
    ended = await events.end()
    assert (ended.by, ended.code) == (EndedBy.NETWORK, 408)
    assert disposition_of(ended) is Disposition.FAILED


async def test_a_trunk_that_refuses_tcp_is_a_disposition(engine: Pjsua2Engine) -> None:
    events = Events()
    await engine.dial(dial_to(f"127.0.0.1:{free_port()}", transport="tcp"), events)
    ended = await events.end()
    assert ended.by is EndedBy.NETWORK
    assert disposition_of(ended) is Disposition.FAILED


async def test_tcp(engine: Pjsua2Engine) -> None:
    async with sipp("final", keys={"code": "486", "phrase": "Busy Here", "extra": "X-None: 0"}, tcp=True) as peer:
        _, events = await ring(engine, peer, transport="tcp")
        assert (await events.end()).code == 486


async def test_giving_up_before_anything_came(engine: Pjsua2Engine) -> None:
    events = Events()
    leg = await engine.dial(dial_to(f"127.0.0.1:{free_port()}"), events)
    await leg.hangup()
    ended = await events.end()
    assert (ended.by, ended.code) == (EndedBy.US, 487)


# What we say.


async def test_the_invite_on_the_wire(engine: Pjsua2Engine) -> None:
    dialled = dial_to("127.0.0.1:1")
    async with sipp("final", keys={"code": "486", "phrase": "Busy Here", "extra": "X-None: 0"}) as peer:
        trunk = trunk_to(
            peer.address,
            display_name='The "Shop"',
            asserted_identity=True,
            user_phone=True,
            codecs=("PCMA", "PCMU"),
            headers={"X-Trunk": "one"},
        )
        events = Events()
        await engine.dial(replace(dialled, trunk=trunk, headers={"X-Attempt": "7"}), events)
        await events.end()
        await peer.finished()
        invite = peer.received("INVITE")[0]
    assert invite.startswith(f"INVITE sip:{NUMBER}@{peer.address};user=phone SIP/2.0")
    assert header(invite, "Call-ID") == dialled.call_id
    assert header(invite, "From").startswith(f'"The \\"Shop\\"" <sip:{CALLER}@127.0.0.1>;tag=')
    assert header(invite, "P-Asserted-Identity") == f'"The \\"Shop\\"" <sip:{CALLER}@127.0.0.1>'
    assert header(invite, "To") == f"<sip:{NUMBER}@{peer.address};user=phone>" or NUMBER in header(invite, "To")
    assert (header(invite, "X-Trunk"), header(invite, "X-Attempt")) == ("one", "7")
    assert re.search(r"^m=audio \d+ RTP/AVP 8 0 \d+", invite, re.MULTILINE), invite


async def test_a_whole_uri_and_an_outbound_proxy(engine: Pjsua2Engine) -> None:
    async with sipp("final", keys={"code": "486", "phrase": "Busy Here", "extra": "X-None: 0"}) as peer:
        events = Events()
        dial = replace(dial_to("127.0.0.1:1", proxy=peer.address), target="sip:agent@127.0.0.1:2")
        await engine.dial(dial, events)
        assert (await events.end()).code == 486
        await peer.finished()
        invite = peer.received("INVITE")[0]
    assert invite.startswith("INVITE sip:agent@127.0.0.1:2 SIP/2.0")
    assert header(invite, "Route") == f"<sip:{peer.address};lr>"


def digest(authorization: str, method: str, username: str, password: str) -> bool:
    """Whether the credentials are right (RFC 2617 §3.2.2, without qop)."""
    fields = dict(re.findall(r'(\w+)="?([^",]+)"?', authorization))
    secret = hashlib.md5(f"{username}:{fields['realm']}:{password}".encode()).hexdigest()
    request = hashlib.md5(f"{method}:{fields['uri']}".encode()).hexdigest()
    expected = hashlib.md5(f"{secret}:{fields['nonce']}:{request}".encode()).hexdigest()
    return bool(fields["username"] == username and fields["response"] == expected)


async def test_digest_on_invite(engine: Pjsua2Engine) -> None:
    async with sipp("challenge_invite") as peer:
        _, events = await ring(engine, peer, username="shop", password="s3cret")
        ended = await events.end()
        assert await peer.finished() == 0
        first, second = peer.received("INVITE")
    assert (ended.by, ended.code) == (EndedBy.PEER, 486)
    assert "Proxy-Authorization" not in first
    assert digest(header(second, "Proxy-Authorization"), "INVITE", "shop", "s3cret")
    assert header(first, "Call-ID") == header(second, "Call-ID")


async def test_a_challenge_without_credentials_is_a_failure(engine: Pjsua2Engine) -> None:
    async with sipp("challenge_invite") as peer:
        _, events = await ring(engine, peer)
        ended = await events.end()
    assert (ended.by, ended.code) == (EndedBy.PEER, 407)
    assert disposition_of(ended) is Disposition.FAILED


async def test_registering(engine: Pjsua2Engine) -> None:
    async with sipp("challenge_register") as peer:
        trunk = trunk_to(peer.address, name="registrar", kind="registrar", username="shop", password="s3cret")
        registration, same = await asyncio.gather(engine.register(trunk), engine.register(trunk))
        assert await peer.finished() == 0
        _, second = peer.received("REGISTER")
    assert registration.active
    assert same == registration
    assert engine.registrations["registrar"] == registration
    assert digest(header(second, "Authorization"), "REGISTER", "shop", "s3cret")
    assert header(second, "To") == "<sip:shop@127.0.0.1>"


async def test_a_silent_registrar_is_a_code(engine: Pjsua2Engine) -> None:
    address = f"127.0.0.1:{free_port()}"
    registration = await engine.register(trunk_to(address, name="silent", kind="registrar", username="shop"))
    assert (registration.active, registration.code) == (False, 408)


# Media.


async def test_audio_goes_out_and_comes_back(engine: Pjsua2Engine) -> None:
    async with sipp("answer", "-rtp_echo") as peer:
        leg, events = await ring(engine, peer)
        heard: list[bytes] = []
        sentence = leg.play(tone(440, 0.6))
        assert (await events.first(Answered)).codec == "PCMU"
        leg.on_audio(heard.append)
        assert await sentence.wait() is True
        assert sentence.played_ms == 600
        await until(lambda: loudness(leg.tape()[0], 440) > 0.9 and len(leg.tape()[0]) > 12_800, leg)
        await leg.hangup()
        ended = await events.end()
        assert await peer.finished() == 0
    received, sent = leg.tape()
    assert (ended.by, ended.code) == (EndedBy.US, 0)
    assert {len(frame) for frame in heard} == {320}
    assert len(received) == len(sent)
    assert len(received) % 320 == 0
    assert loudness(sent, 440) > 0.9
    assert leg.packets_received > 0
    # What came back is what was sent, a little later.
    echo, voice = (np.frombuffer(pcm, "<i2").astype(float) for pcm in (received, sent))
    match = np.correlate(echo, voice[: 8000 // 4], "valid")
    assert match.max() > 0.8 * (voice[: 8000 // 4] ** 2).sum()


async def test_stopping_a_sentence(engine: Pjsua2Engine) -> None:
    async with sipp("answer") as peer:
        leg, events = await ring(engine, peer)
        first, second = leg.play(tone(440, 5)), leg.play(tone(880, 0.2))
        await events.first(Answered)
        await until(lambda: first.played_ms >= 100, leg)
        played_ms = first.stop()
        assert await first.wait() is False
        assert await second.wait() is True
        assert first.played_ms == played_ms
        await leg.hangup()
        await events.end()
        assert await peer.finished() == 0
    sent = leg.tape()[1]
    assert loudness(sent[: played_ms * 16], 440) > 0.9
    assert loudness(sent[played_ms * 16 : played_ms * 16 + 3200], 880) > 0.9


async def test_media_that_never_comes(engine: Pjsua2Engine) -> None:
    async with sipp("answer") as peer:
        leg, events = await ring(engine, peer)
        await events.first(Answered)
        await until(lambda: len(leg.tape()[0]) >= 16_000, leg)
        assert leg.packets_received == 0
        assert not any(leg.tape()[0])
        await leg.hangup()
        await events.end()
        assert await peer.finished() == 0


async def test_the_customer_hangs_up(engine: Pjsua2Engine) -> None:
    async with sipp("answer_then_bye") as peer:
        leg, events = await ring(engine, peer)
        playback = leg.play(tone(440, 10))
        ended = await events.end()
        assert await peer.finished() == 0
    assert (ended.by, ended.code) == (EndedBy.PEER, 0)
    assert ended.headers["reason"] == ['Q.850 ;cause=16 ;text="Normal call clearing"']
    assert await playback.wait() is False
    assert await leg.play(tone(440, 1)).wait() is False, "a leg that is over plays nothing"
    await leg.hangup()


async def test_keys_both_ways_are_counted_once(engine: Pjsua2Engine) -> None:
    async with sipp("answer", "-rtp_echo") as peer:
        leg, events = await ring(engine, peer)
        await events.first(Answered)
        await leg.send_digits("1107#")
        await until(lambda: sum(isinstance(event, Digit) for event in events.seen) >= 5, leg)
        before = len(leg.tape()[0])
        await until(lambda: len(leg.tape()[0]) > before + 4800, leg)  # a key too many would come now
        await leg.hangup()
        await events.end()
        assert await peer.finished() == 0
    keys = [event for event in events.seen if isinstance(event, Digit)]
    assert "".join(key.digit for key in keys) == "1107#"
    assert {key.method for key in keys} == {"rfc4733"}


async def test_keys_by_sip_info(engine: Pjsua2Engine) -> None:
    async with sipp("answer_then_info") as peer:
        leg, events = await ring(engine, peer)
        assert await events.first(Digit) == Digit(digit="7", method="info")
        await leg.hangup()
        await events.end()
        assert await peer.finished() == 0
    assert sum(isinstance(event, Digit) for event in events.seen) == 1


async def test_nobody_transfers_us(engine: Pjsua2Engine) -> None:
    async with sipp("answer_then_refer") as peer:
        leg, events = await ring(engine, peer)
        await events.first(Answered)
        await until(lambda: len(leg.tape()[0]) > 4800, leg)
        await leg.hangup()
        await events.end()
        assert await peer.finished() == 0, "REFER is declined"


# What cannot be done.


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "sip:host"}, "host"),
        ({"transport": "sctp"}, "transport"),
        ({"kind": "magic"}, "kind"),
        ({"caller_id": "0207"}, "caller_id"),
        ({"display_name": "a\r\nX: y"}, "display_name"),
        ({"kind": "registrar"}, "username"),
        ({"proxy": "a b"}, "proxy"),
        ({"codecs": ("MP3",)}, "codec MP3"),
        ({"headers": {"X": "a\r\nb"}}, "header 'X'"),
    ],
)
async def test_a_trunk_that_makes_no_sense_is_named(
    engine: Pjsua2Engine, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(LegError, match=field) as caught:
        await engine.dial(dial_to("127.0.0.1:9", **changes), Events())
    assert not caught.value.retryable


@pytest.mark.parametrize("target", ["0207946", "+0123", "tel:+44", "sip:a b@c", "sip:x\r\nY: z"])
async def test_a_malformed_target_sends_nothing(engine: Pjsua2Engine, target: str) -> None:
    with pytest.raises(LegError, match="target"):
        await engine.dial(replace(dial_to("127.0.0.1:9"), target=target), Events())


async def test_no_more_legs_than_the_build_allows(engine: Pjsua2Engine) -> None:
    address = f"127.0.0.1:{free_port()}"
    everybody = [Events() for _ in range(engine.capacity)]
    for events in everybody:
        await engine.dial(dial_to(address), events)
    with pytest.raises(LegError, match=f"all {engine.capacity} legs") as caught:
        await engine.dial(dial_to(address), Events())
    assert caught.value.code == "no_free_leg"
    assert {(await events.end()).by for events in everybody} == {EndedBy.NETWORK}


async def test_a_failing_callback_harms_nobody(
    engine: Pjsua2Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("on purpose")

    async with sipp("answer", "-rtp_echo") as peer:
        events = Events()

        def failing(event: LegEvent) -> None:
            events(event)
            broken()

        leg = await engine.dial(dial_to(peer.address), failing)
        await events.first(Answered)
        leg.on_audio(broken)
        monkeypatch.setattr(Track, "push", broken)
        await leg.play(tone(440, 0.1)).wait()
        monkeypatch.undo()
        await leg.hangup()
        assert (await events.end()).by is EndedBy.US
        assert await peer.finished() == 0
    assert "a callback of a leg failed" in caplog.messages
    assert "the audio of a leg could not be received" in caplog.messages


async def test_only_one_engine_a_process(engine: Pjsua2Engine) -> None:
    with pytest.raises(LegError, match="already runs") as caught:
        await Pjsua2Engine(EngineOptions()).start()
    assert caught.value.code == "engine_running"


# Other processes: an engine of their own.


async def python(code: str, *arguments: str) -> tuple[int, str]:
    """Run ``code`` in a process of its own; (exit code, everything it printed)."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", code, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


BUSY_PORT = """
import asyncio, sys
from dialer.engines import EngineOptions
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.legs import LegError

async def main():
    try:
        await Pjsua2Engine(EngineOptions(port=int(sys.argv[1]))).start()
    except LegError as error:
        print(error.code, error.retryable, error)
    engine = Pjsua2Engine(EngineOptions())
    await engine.start()
    print("another port works", engine.capacity > 0)
    await engine.stop()

asyncio.run(main())
"""


async def test_a_port_in_use_is_named_with_its_remedy() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        code, output = await python(BUSY_PORT, str(port))
    assert code == 0, output
    assert output.startswith(f"port_in_use False udp port {port} at 127.0.0.1 is taken by another program: ")
    assert "another port works True" in output


UNTIDY = """
import asyncio, sys
from dialer.engines import EngineOptions
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.legs import Answered, Dial, Trunk

kept = []

async def main():
    engine, answered = Pjsua2Engine(EngineOptions()), asyncio.Event()
    await engine.start()
    dial = Dial(call_id="left@behind", target="sip:tone-440@" + sys.argv[1], trunk=Trunk(name="t", host=sys.argv[1]))
    leg = await engine.dial(dial, lambda event: answered.set() if isinstance(event, Answered) else None)
    await answered.wait()
    kept.extend((engine, leg, leg.dialog))  # even a native object kept by mistake
    print("leaving", engine.free == engine.capacity - 1)

asyncio.run(main())
"""


class Phone:
    """The telephone in its own process."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.process, self.address = process, address

    async def report(self) -> dict[str, Any]:
        """What it says of the call that ended next."""
        assert self.process.stdout is not None
        return cast("dict[str, Any]", json.loads(await self.process.stdout.readline()))

    def dial(self, user: str) -> Dial:
        return replace(dial_to(self.address), target=f"sip:{user}@{self.address}")


@asynccontextmanager
async def telephone(*arguments: str, transport: str = "udp") -> AsyncIterator[Phone]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.dialer.telephone", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Phone(process, json.loads(await process.stdout.readline())[transport])
    finally:
        process.stdin.close()
        assert await process.wait() == 0, "a telephone is put down cleanly"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone() -> AsyncIterator[Phone]:
    async with telephone() as phone:
        yield phone


@pytest.mark.parametrize("certificate", ["trusted", "unknown"])
async def test_tls_talks_to_those_we_trust_alone(engine: Pjsua2Engine, certificates: Path, certificate: str) -> None:
    files = (str(certificates / f"{certificate}.{kind}") for kind in ("pem", "key"))
    async with telephone(*files, transport="tls") as phone:
        events = Events()
        leg = await engine.dial(dial_to(phone.address, transport="tls"), events)
        if certificate == "trusted":
            await events.first(Answered)
            await leg.hangup()
            assert (await events.end()).by is EndedBy.US
            await phone.report()
        else:
            ended = await events.end()
            assert (ended.by, disposition_of(ended)) == (EndedBy.NETWORK, Disposition.FAILED)
            assert "certificate" in ended.reason


async def test_the_interpreter_may_end_without_stop(phone: Phone) -> None:
    code, output = await python(UNTIDY, phone.address)
    assert (code, output) == (0, "leaving True\n")
    assert (await phone.report())["by"] == EndedBy.PEER, "even then we hang up"


async def test_keys_of_a_real_telephone(engine: Pjsua2Engine, phone: Phone) -> None:
    events = Events()
    leg = await engine.dial(phone.dial("press-12"), events)
    await events.first(Answered)
    await leg.send_digits("9")
    await until(lambda: sum(isinstance(event, Digit) for event in events.seen) == 2, leg)
    before = len(leg.tape()[0])
    await until(lambda: len(leg.tape()[0]) > before + 4800, leg)
    await leg.hangup()
    await events.end()
    report = await phone.report()
    assert [event.digit for event in events.seen if isinstance(event, Digit)] == ["1", "2"]
    assert (report["digits"], report["by"], report["caller"]) == ("9", EndedBy.PEER, CALLER)


async def test_early_media_is_heard(engine: Pjsua2Engine, phone: Phone) -> None:
    events, heard = Events(), bytearray()
    leg = await engine.dial(phone.dial("early-880"), events)
    leg.on_audio(heard.extend)
    ended = await events.end()
    await phone.report()
    assert [event for event in events.seen if isinstance(event, Ringing)] == [
        Ringing(code=180),
        Ringing(code=183, early_media=True),
    ]
    assert loudness(bytes(heard), 880) > 0.9
    assert (ended.by, ended.code, ended.reason, retry_after_s(ended)) == (EndedBy.PEER, 486, "Engaged", 5.0)


async def test_two_legs_are_bridged_and_parted(engine: Pjsua2Engine, phone: Phone) -> None:
    customer_events, agent_events = Events(), Events()
    customer = await engine.dial(phone.dial("tone-440"), customer_events)
    agent = await engine.dial(phone.dial("tone-880"), agent_events)
    await customer_events.first(Answered)
    await agent_events.first(Answered)
    dropped = customer.play(tone(200, 30))
    await until(lambda: loudness(customer.tape()[0][-8000:], 440) > 0.9, customer)
    await until(lambda: loudness(agent.tape()[0][-8000:], 880) > 0.9, agent)
    await customer.bridge(agent)
    assert await dropped.wait() is False
    await until(lambda: loudness(customer.tape()[1][-8000:], 880) > 0.9, customer)
    bridged_at = len(customer.tape()[0])
    await until(lambda: len(customer.tape()[0]) >= bridged_at + 16_000, customer)
    received, sent = customer.tape()
    assert len(received) == len(sent)
    assert loudness(sent[bridged_at:], 880) > 0.9, "the customer's tape carries the agent"
    assert loudness(agent.tape()[1][-16_000:], 440) > 0.9
    await customer.unbridge()
    again = customer.play(tone(200, 0.4))
    assert await again.wait() is True
    assert loudness(customer.tape()[1][-3200:], 200) > 0.9
    await customer.bridge(agent)
    await agent.hangup()  # the customer's leg lives on
    await agent_events.end()
    assert await customer.play(tone(200, 0.1)).wait() is True
    await customer.hangup()
    await customer_events.end()
    reports = {report["called"]: report["heard"] for report in (await phone.report(), await phone.report())}
    assert reports["tone-440"]["880"] > 0.2, "the customer heard the agent"
    assert reports["tone-880"]["440"] > 0.9, "the agent heard the customer alone"


class Wire(asyncio.DatagramProtocol):
    """SIP by hand, to decide what arrives together."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(data.decode())

    async def final(self, call_id: str) -> str:
        """The final response to that call's INVITE."""
        while True:
            message = await self.came.get()
            code = message[8:11]
            if f"Call-ID: {call_id}" in message and "INVITE" in header(message, "CSeq") and code >= "200":
                return message


def request(method: str, phone: str, here: str, call_id: str, to: str = "", sdp: str = "") -> bytes:
    lines = (
        f"{method} sip:tone-440@{phone} SIP/2.0",
        f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{call_id}{method}",
        f"From: <sip:me@{here}>;tag=me",
        f"To: {to or f'<sip:tone-440@{phone}>'}",
        f"Call-ID: {call_id}",
        f"CSeq: {2 if method == 'BYE' else 1} {method}",
        f"Contact: <sip:me@{here}>",
        *(("Content-Type: application/sdp",) if sdp else ()),
        f"Content-Length: {len(sdp)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + sdp).encode()


async def test_an_ended_call_does_not_haunt_the_next(phone: Phone) -> None:
    """The library gives a new call the slot of the last: destroying that must not end the new one."""
    host, port = phone.address.split(":")
    transport, wire = await asyncio.get_running_loop().create_datagram_endpoint(Wire, remote_addr=(host, int(port)))
    here = "{}:{}".format(*transport.get_extra_info("sockname"))
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"

    async def ring(call_id: str) -> str:
        transport.sendto(request("INVITE", phone.address, here, call_id, sdp=sdp))
        return await taken(call_id)

    async def taken(call_id: str) -> str:
        answer = await wire.final(call_id)
        assert answer.startswith("SIP/2.0 200"), answer
        transport.sendto(request("ACK", phone.address, here, call_id, header(answer, "To")))
        return header(answer, "To")

    others = {call_id: await ring(call_id) for call_id in ("a", "b", "c")}
    to = await ring("first")  # the fourth and last slot of the wheel
    for call_id, next_id in (("first", "second"), ("second", "third"), ("third", "fourth")):
        transport.sendto(request("BYE", phone.address, here, call_id, to))
        transport.sendto(request("INVITE", phone.address, here, next_id, sdp=sdp))
        assert (await phone.report())["call_id"] == call_id
        to = await taken(next_id)
    for call_id, tag in {**others, "fourth": to}.items():
        transport.sendto(request("BYE", phone.address, here, call_id, tag))
        report = await phone.report()
        assert (report["call_id"], report["by"]) == (call_id, EndedBy.PEER), "none was hung up on us"
    transport.close()


async def test_bridging_nonsense(engine: Pjsua2Engine, phone: Phone) -> None:
    events = Events()
    leg = await engine.dial(phone.dial("tone-440"), events)
    with pytest.raises(LegError, match="two different legs"):
        await leg.bridge(leg)
    await leg.hangup()
    await events.end()
    await phone.report()


async def test_stopping_ends_every_leg_and_leaves_nothing(phone: Phone) -> None:
    code, output = await python(STOPPED, phone.address)
    assert code == 0, output
    assert output.splitlines() == ["us 0", "False", "engine_stopped"] * 3
    for _ in range(3):
        assert (await phone.report())["by"] == EndedBy.PEER


STOPPED = """
import asyncio, sys
from dialer.engines import EngineOptions
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.legs import Answered, Dial, Ended, LegError, Trunk

async def main():
    for _ in range(3):
        events, answered = [], asyncio.Event()
        def on_event(event):
            events.append(event)
            if isinstance(event, Answered):
                answered.set()
        engine = Pjsua2Engine(EngineOptions())
        await engine.start()
        dial = Dial(call_id=f"a-{_}", target="sip:tone-440@" + sys.argv[1], trunk=Trunk(name="t", host=sys.argv[1]))
        leg = await engine.dial(dial, on_event)
        await answered.wait()
        playback = leg.play(bytes(160_000))
        await engine.stop()
        await engine.stop()
        await leg.hangup()
        print(events[-1].by, events[-1].code)
        print(await playback.wait())
        try:
            await engine.dial(dial, on_event)
        except LegError as error:
            print(error.code)

asyncio.run(main())
"""
