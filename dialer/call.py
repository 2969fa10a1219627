"""One call from start to result: send window, journal, INVITE, ringing, conversation, end.

It decides nothing about what is said (turns.py, campaigns/) and stores nothing but the journal and the recording.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from campaigns.flow.document import FlowError
from campaigns.understanding.announcements import Announcement, network_language
from dialer.asking import Ask, Questions, nobody
from dialer.early_media import EarlyMedia
from dialer.ending import ANNOUNCED, INTERNAL_ERROR, NO_MEDIA, Ending, failed, talked, unanswered
from dialer.equipment import Equipment
from dialer.handoff import Switchboard
from dialer.journal import What
from dialer.legs import Answered, Ended, Leg, Ringing
from dialer.messages import CallEvent, CallRequest, CallResult, EventKind, Released, Timings
from dialer.recording import Tape, may_keep, tell
from dialer.script import Script
from dialer.sending import Sending
from dialer.story import Story
from dialer.turns import Conversation
from dialer.watch import LegWatch
from speech.seams import SpeechError

log = logging.getLogger(__name__)

ENDED_WITHIN_S = 5.0
"""How long the end of a leg we hung up is waited for."""
LAST_SOUND_S = 0.15
"""What was played last is still on its way to the customer's ear: BYE waits for it."""
LAST_SENTENCE_S = 10.0
"""How long the sentence that sounds at the end of ``max_duration_s`` may go on."""


async def run_call(
    request: CallRequest, *, equipment: Equipment, emit: Callable[[CallEvent], None], ask: Ask = nobody
) -> CallResult | Released:
    """Run one call; returns its result once, whatever happens, or its release when nothing was sent."""
    return await Call(request, equipment=equipment, emit=emit, ask=ask).run()


def legs_needed(request: CallRequest) -> int:
    """Legs to be kept free for a call: two when its flow may hand it to an agent and there is one."""
    steps = request.flow.get("steps")
    kinds = [step.get("type") for step in steps.values() if isinstance(step, dict)] if isinstance(steps, dict) else []
    return 2 if request.agent_uri and "handoff" in kinds else 1


class Call:
    """One call; :meth:`run` it once, :meth:`hang_up` at any time."""

    def __init__(
        self, request: CallRequest, *, equipment: Equipment, emit: Callable[[CallEvent], None], ask: Ask = nobody
    ) -> None:
        self.request = request
        self._equipment = equipment
        self._story = Story(request.attempt_id, request.fence, emit, now=equipment.now)
        self._ask, self._questions = ask, Questions(ask, self._story)
        self._watch = LegWatch(on_ringing=self._on_ringing, on_digit=self._on_digit, on_ended=self._on_ended)
        self._sending = Sending(request, equipment)
        self._leg: Leg | None = None
        self._conversation: Conversation | None = None
        self._early: EarlyMedia | None = None
        self._our_reason = ""
        self._asked = asyncio.Event()
        self._chores: set[asyncio.Task[Any]] = set()
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> CallResult | Released:
        """Run it to its end. Being cancelled ends the call like :meth:`hang_up`, and its result still comes."""
        work = asyncio.ensure_future(self._run())
        while True:
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if work.cancelled() or task is None:
                    raise
                task.uncancel()
                self.hang_up("line_stopped")

    def hang_up(self, reason: str) -> None:
        """End the call: send nothing if nothing was sent, CANCEL while it rings, BYE after; the first reason counts."""
        if not self._our_reason:
            self._our_reason = reason
            self._cut()

    def _cut(self) -> None:
        self._asked.set()
        if self._conversation is not None:
            self._conversation.lose()
        if self._leg is not None and self._watch.answered is not None and self._watch.ended is None:
            self._chore(self._leg.hangup())

    async def _run(self) -> CallResult | Released:
        end: Ending | Released
        try:
            end = await self._attempt()
        except SpeechError as error:
            log.exception("call without a voice", extra={"attempt_id": self.request.attempt_id})
            end = failed(error.code)
        except Exception:
            log.exception("call failed", extra={"attempt_id": self.request.attempt_id})
            end = failed(INTERNAL_ERROR)
        finally:
            await self._end_leg()
        return end if isinstance(end, Released) else await self._conclude(end)

    async def _attempt(self) -> Ending | Released:
        try:
            script = Script.open(self.request, now=self._equipment.now())
        except FlowError as error:
            log.error("call flow refused", extra={"attempt_id": self.request.attempt_id, "findings": str(error)})
            return failed("bad_flow")
        leg = await self._sending.send(self._watch.on_event, stopped=lambda: self._our_reason)
        if isinstance(leg, Ending | Released):
            return leg
        self._leg = leg
        self._story.tell(EventKind.DIALING)
        self._conversation = self._converse_on(leg, script)
        return await self._ring()

    # Ringing and talking.

    async def _ring(self) -> Ending:
        waits = [
            asyncio.create_task(self._watch.settled(self.request.ring_timeout_s)),
            asyncio.create_task(self._asked.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            if self._early is not None:
                self._early.stop()
        answered = self._watch.answered
        if self._watch.ended is None and answered is not None and not self._our_reason:
            return await self._talk(answered)
        await self._end_leg()  # CANCEL; a final response may have crossed it and then says more than we do
        return unanswered(self._watch.ended, self._our_reason)

    async def _talk(self, answered: Answered) -> Ending:
        assert self._conversation is not None
        self._story.answered(answered.codec)
        self._chore(self._sending.note(What.ANSWERED))
        self._later(self.request.media_timeout_s, self._look_for_media)
        self._later(self.request.max_duration_s, self._wind_up)
        try:
            last = await self._conversation.run()
        finally:
            for timer in self._timers:
                timer.cancel()
        await self._watch.wait_ended(LAST_SOUND_S)
        return talked(last, self._watch.ended, self._our_reason)

    def _look_for_media(self) -> None:
        if self._leg is not None and self._leg.packets_received == 0:
            self.hang_up(NO_MEDIA)

    def _wind_up(self) -> None:
        """The conversation took long enough; a talk with a human agent may go on."""
        assert self._conversation is not None
        if self._conversation.handed_off:
            self._later(LAST_SENTENCE_S, self._wind_up)
            return
        self._our_reason = self._our_reason or "max_duration"
        self._conversation.wind_up()
        self._later(LAST_SENTENCE_S, self._cut)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, act))

    def _converse_on(self, leg: Leg, script: Script) -> Conversation:
        """Begin rendering the first words while it rings."""
        switchboard = Switchboard(
            engine=self._equipment.engine,
            request=self.request,
            customer=leg,
            customer_watch=self._watch,
            story=self._story,
        )
        conversation = Conversation(
            script,
            equipment=self._equipment,
            leg=leg,
            story=self._story,
            hand_off=switchboard.hand_off,
            questions=self._questions,
            interpret=self._ask if self.request.interpret else None,
        )
        leg.on_audio(self._on_frame)
        return conversation

    # What the leg tells.

    def _on_ringing(self, event: Ringing) -> None:
        self._story.tell(EventKind.RINGING, code=event.code, early_media=event.early_media)
        if event.early_media and self._early is None:
            language = network_language(self.request.number, self.request.language)
            self._early = EarlyMedia(self._equipment, language, on_announced=self._on_announced)

    def _on_announced(self, what: Announcement) -> None:
        self._story.tell(EventKind.ANNOUNCED, what=what.value)
        self.hang_up(f"{ANNOUNCED}{what}")

    def _on_ended(self, event: Ended) -> None:
        self._story.tell(EventKind.ENDED, by=event.by.value, code=event.code, reason=event.reason)
        if self._conversation is not None:
            self._conversation.lose()

    def _on_digit(self, digit: str) -> None:
        if self._conversation is not None and self._watch.answered is not None:
            self._conversation.listener.press(digit)

    def _on_frame(self, pcm: bytes) -> None:
        try:
            if self._watch.answered is None:
                if self._early is not None:  # what sounds before the answer is the network's (RFC 3960)
                    self._early.frame(pcm)
            elif self._conversation is not None:
                self._conversation.listener.frame(pcm)
        except Exception:
            log.exception("listening failed", extra={"attempt_id": self.request.attempt_id})
            self.hang_up(INTERNAL_ERROR)

    # The end.

    async def _end_leg(self) -> None:
        """Whatever happened, no leg is left behind."""
        if self._conversation is not None:
            self._conversation.lose()
        if self._leg is None or self._watch.ended is not None:
            return
        self._leg.on_audio(None)
        try:
            await self._leg.hangup()
        except Exception:  # without a result the host would hold the call for ever
            log.exception("a leg could not be hung up", extra={"attempt_id": self.request.attempt_id})
        if await self._watch.wait_ended(ENDED_WITHIN_S) is None:
            log.error("a leg did not end", extra={"attempt_id": self.request.attempt_id})

    async def _conclude(self, ending: Ending) -> CallResult:
        if self._sending.sent:
            await self._sending.note(What.ENDED, ending.disposition)
        recording, timings = await self._keep()
        await self._questions.finish()
        if self._chores:
            await asyncio.wait(self._chores)
        return CallResult(
            attempt_id=self.request.attempt_id,
            fence=self.request.fence,
            call_id=self.request.call_id,
            disposition=ending.disposition,
            outcome=ending.outcome,
            hangup_cause=ending.cause,
            sip_code=ending.sip_code,
            retry_after_s=ending.retry_after_s,
            answered_at=self._story.answered_at,
            ended_at=self._equipment.now(),
            transcript=tuple(self._story.turns),
            variables=dict(self._story.variables),
            timings=timings,
            recording=recording,
        )

    async def _keep(self) -> tuple[str, Timings]:
        if self._leg is None or self._story.answered_at is None:
            return "", Timings()
        received, sent = self._leg.tape()
        tape = Tape(received=received, sent=sent)
        recording, timings = "", Timings()
        try:
            timings = await asyncio.to_thread(tape.timings, self._story)
            tell(self._story, timings)
            if may_keep(self.request, self._story):
                name = f"{self.request.attempt_id}-{self.request.fence}"
                recording = await asyncio.to_thread(tape.keep, self._equipment.recordings, name)
        except Exception as error:  # neither a full disk nor an odd tape may cost the result
            log.exception("recording not kept", extra={"attempt_id": self.request.attempt_id})
            self._story.tell(EventKind.PROBLEM, step="", message=f"The recording was not kept: {error}.")
        return recording, timings

    def _chore(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chore_done)

    def _chore_done(self, task: asyncio.Task[Any]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a call's chore failed", exc_info=error, extra={"attempt_id": self.request.attempt_id})
