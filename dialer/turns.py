"""The conversation of one answered call: performs the flow's effects and feeds back what the customer does.

It holds no dialog of its own: what is said next is the flow engine's, who may be rung is the switchboard's.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from campaigns.dispositions import Disposition
from campaigns.flow.effects import Effect, Handoff, Hangup, Listen, RecordOptOut, Refusal, Request, Say
from campaigns.flow.engine import State
from campaigns.flow.inputs import HandoffEnded, HungUp, Machine, Replied, Silence
from dialer.asking import Ask, Questions
from dialer.catches import Beeped, Caught, Keys, Quiet, Signalled, Words
from dialer.courtesy import Courtesy
from dialer.dialog import Dialog
from dialer.equipment import Equipment
from dialer.hearing import Listener
from dialer.interpreting import interpreted
from dialer.legs import Leg
from dialer.machine import VOICEMAIL, met_instead
from dialer.messages import EventKind
from dialer.script import Script
from dialer.speaking import Speaker
from dialer.story import Story
from dialer.voicemail import HumanAfterAll, Voicemail
from dialer.waiting import QUIET_S, change_of_mind, comforted

Reply = Caught | Quiet | HandoffEnded | Replied | HungUp
LAST_WORD_S = 0.15
"""Speech is noticed this long after it began."""


class Conversation:
    """One conversation on one leg; made while it rings, run once it is answered."""

    def __init__(
        self,
        script: Script,
        *,
        equipment: Equipment,
        leg: Leg,
        story: Story,
        hand_off: Callable[[Handoff, Callable[[], None]], Awaitable[HandoffEnded]],
        questions: Questions,
        interpret: Ask | None = None,
    ) -> None:
        self._dialog, self._leg, self._story = Dialog(script), leg, story
        self._hand_off, self._questions, self._interpret = hand_off, questions, interpret
        self._speaker = Speaker(leg, equipment.voice, story, is_shared=script.said_to_all.includes)
        self._courtesy = Courtesy(
            self._speaker,
            intent_of=self._dialog.intent_of,
            is_opt_out=self._dialog.is_opt_out,
            language=lambda: self._dialog.state.language,
            on_aside=self._tell_words,
            on_beep=self._on_beep,
            met_human=lambda: self._dialog.met_human,
        )
        self.listener = Listener(
            equipment, script.language, self._courtesy, robot_says=self._speaker.now, on_partial=story.customer_says
        )
        self._voicemail = Voicemail(
            self.listener,
            story,
            intent_of=lambda words: self._dialog.intent_of(words, self._human_state),
            on_words=self._tell_words,
        )
        self._says = 0
        self._heard_out = False
        self.handed_off = False
        """Whether the customer is with a human agent, or waits for one."""
        self._human_state = script.state
        self._prepare()

    async def run(self) -> Hangup:
        """Talk until the conversation is over; returns how. Raises ``SpeechError`` without a voice."""
        self._courtesy.answered_s = asyncio.get_running_loop().time()
        try:
            return await self._converse()
        finally:
            self.listener.stop()

    async def _converse(self) -> Hangup:
        while True:
            try:
                reply = await self._perform(self._dialog.effects)
            except HumanAfterAll as human:
                self._dialog.state, reply = self._human_state, human.reply
            if isinstance(reply, Hangup):
                return reply
            if isinstance(reply, HungUp):
                return self._farewell()
            if (instead := self._met_instead(reply)) is not None:
                return instead
            fill = functools.partial(self._speaker.fill, self._dialog.state.language)
            self._answer(await interpreted(reply, self._dialog, ask=self._interpret, fill=fill))
            self._prepare()

    def _met_instead(self, reply: Reply) -> Hangup | None:
        """The end of a call in which the network speaks, or a fax; after a customer did, their line went dead."""
        met = met_instead(reply, answered_s=self._courtesy.answered_s or 0.0)
        if met is None:
            return None
        if isinstance(reply, Words):
            self._tell_words(reply, None)
        if self._dialog.met_human:
            return self._farewell() if isinstance(reply, Signalled) else None
        self._story.tell(EventKind.MACHINE, evidence=met.evidence)
        return Hangup(disposition=met.disposition)

    def wind_up(self) -> None:
        """Finish the sentence that sounds, then end."""
        self.listener.close()

    def lose(self) -> None:
        """Nothing can be said any more: fall silent, and let the flow end as hung up, after what was said last."""
        self.listener.close()
        self._speaker.close()

    # Performing a batch of effects (campaigns/flow/effects.py says how).

    async def _perform(self, effects: Sequence[Effect]) -> Reply | Hangup:
        last = effects[-1]
        self._expect(last)
        if isinstance(last, Request) and not self.listener.closed:
            self._questions.put(last)  # it works while we speak
        for effect in effects:
            if isinstance(effect, RecordOptOut | Refusal):
                self._story.note(effect)  # before anything more is said, wherever it stands
        self._says = self._dialog.unheard = sum(isinstance(effect, Say) for effect in effects)
        left = self._says
        for effect in effects[:-1]:
            if isinstance(effect, Say):
                left -= 1
                if not (self._courtesy.interrupted or self.listener.closed):
                    self._dialog.unheard -= await self._say(effect, more=left > 0)
            elif not isinstance(effect, RecordOptOut | Refusal):
                self._story.note(effect)
        if isinstance(last, Request) and not self._courtesy.interrupted:
            return await self._await_reply(last)
        if isinstance(last, Listen) or self._courtesy.interrupted or self.listener.closed:
            return await self._listen(last)
        if isinstance(last, Handoff):
            return await self._connect(last)
        assert isinstance(last, Hangup)
        return await self._hear_out() or last

    def _expect(self, last: Effect) -> None:
        """Listen for what the batch's end asks for; what was said or typed ahead answers a question, not a goodbye."""
        self.listener.language = self._dialog.state.language
        self.listener.expect(last if isinstance(last, Listen) else Listen())
        if not isinstance(last, Listen):
            self.listener.forget(but=self._dialog.is_opt_out)
        self._heard_out = self._heard_out and isinstance(last, Hangup)
        self._courtesy.interrupted = self.listener.waiting

    async def _listen(self, last: Effect) -> Reply:
        listen = last if isinstance(last, Listen) else Listen()
        return await self.listener.catch(listen.timeout_s) or HungUp()

    async def _hear_out(self) -> Reply | None:
        """What the customer says or presses into our last word; awaited once, for a television never ends."""
        if self._heard_out and not self.listener.waiting:
            return None
        self._heard_out = True
        reply = await self.listener.catch(LAST_WORD_S)
        return None if isinstance(reply, Quiet) else reply or HungUp()

    async def _connect(self, handoff: Handoff) -> Reply:
        """Ring the agent and listen on: until somebody answers the customer may still change their mind."""
        self.handed_off = True
        ringing = asyncio.ensure_future(self._hand_off(handoff, lambda: self.listener.deafen(True)))
        try:
            return await self._change_of_mind(ringing, handoff) or await ringing
        finally:
            ringing.cancel()
            await asyncio.wait({ringing})
            if self.listener.deaf:
                self.listener.deafen(False)
            self.handed_off = False

    async def _await_reply(self, request: Request) -> Reply:
        """Wait for what the system of the business says; also when the customer is gone, for it may have acted."""
        replying = self._questions.asked(request)
        if replying is None:
            return HungUp()
        async with comforted(self._leg, after_s=QUIET_S):
            changed = await self._change_of_mind(replying, request)
            return changed if changed is not None else await asyncio.shield(replying)

    async def _change_of_mind(self, awaited: asyncio.Future[Any], last: Handoff | Request) -> Caught | None:
        return await change_of_mind(
            self.listener,
            awaited,
            calls_off=lambda caught: not isinstance(self._dialog.dry_run(caught)[-1], type(last)),
            take=self._answer,
        )

    async def _say(self, say: Say, *, more: bool) -> bool:
        """Say it; returns whether the customer heard all of it."""
        if say.after_beep:
            await self._voicemail.wait_for_beep()
        while not self.listener.closed:
            self._voicemail.spoken_over = False
            self._courtesy.saying = say
            try:
                complete = await self._speaker.say(say.text, say.language, more=more, slow=say.slow)
            finally:
                self._courtesy.saying = None
            if not self._voicemail.spoken_over:
                return complete
        return False

    # Feeding back what came.

    def _answer(self, reply: Caught | Quiet | HandoffEnded | Replied) -> None:
        match reply:
            case Words():
                self._heard(reply)
            case Keys(digits=digits):
                intent = self._dialog.advance(self._dialog.as_input(reply))
                self._story.customer_pressed(digits, intent=intent)
            case Beeped() | Signalled():
                before = self._dialog.state
                self._dialog.advance(self._dialog.as_input(reply))
                self._met_machine(before)
            case Quiet():
                self._dialog.advance(Silence())
            case HandoffEnded() | Replied():
                self._dialog.advance(reply)

    def _heard(self, words: Words) -> None:
        before = self._dialog.state
        intent = self._dialog.advance(self._dialog.as_input(words))
        started_s = words.started_s - (self._courtesy.answered_s or 0.0)
        self._tell_words(words, intent)
        self._story.reply_due(since_s=started_s + words.lasted_s)
        watch = self._voicemail.watch
        if watch.evidence or not watch.words(intent, started_s=started_s, lasted_s=words.lasted_s):
            return
        if intent != VOICEMAIL:  # the flow knows the words itself; the rest it is told
            self._dialog.state = before
            self._dialog.advance(Machine())
        self._met_machine(before)

    def _met_machine(self, before: State) -> None:
        """The flow was told; it may know better, because somebody already answered sensibly."""
        if isinstance(self._dialog.effects[-1], Hangup):
            self._human_state = before
            self._story.tell(EventKind.MACHINE, evidence=self._voicemail.watch.evidence)
        else:
            self._voicemail.watch.revoke()

    def _prepare(self) -> None:
        self._speaker.prepare_filler(
            self._dialog.flow.plain_words("one_moment", self._dialog.state.language), self._dialog.state.language
        )
        for effect in self._dialog.effects:
            if isinstance(effect, Say) and not self.listener.closed:
                self._speaker.prepare(effect.text, effect.language, slow=effect.slow)

    def _farewell(self) -> Hangup:
        """The customer is gone: nothing is said, everything else is performed."""
        # With more than a goodbye cut off, neither notice nor message was given, whatever the flow settled.
        missed = self._dialog.unheard > 1 or 0 < self._dialog.unheard == self._says
        answered_nothing = self._dialog.state.understood == 0
        self._dialog.advance(HungUp())
        for effect in self._dialog.effects[:-1]:
            self._story.note(effect)
        last = self._dialog.effects[-1]
        if missed and self._voicemail.watch.evidence and not self._dialog.state.opted_out:
            return Hangup(disposition=Disposition.MACHINE)
        if (missed and answered_nothing) or not isinstance(last, Hangup):
            return Hangup(disposition=Disposition.HUNG_UP)
        return last

    def _tell_words(self, said: Words, intent: str | None) -> None:
        at_s = said.started_s - (self._courtesy.answered_s or 0.0)
        self._story.customer_said(
            said.said or said.text, at_s=at_s, intent=intent, confidence=said.confidence, engine=said.engine
        )

    def _on_beep(self) -> bool:
        saying = self._courtesy.saying
        leaving = saying is not None and saying.after_beep
        is_input = self._voicemail.on_beep(leaving=leaving, met_human=self._dialog.state.understood > 0)
        if self._voicemail.spoken_over:
            self._speaker.stop()
        return is_input
