"""Sends the INVITE of one call: never before it is in the journal, never after its window closed.

It keeps the call's line in the journal, and knows nothing of ringing and talking.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from campaigns.dispositions import Disposition
from dialer.ending import Ending, failed
from dialer.equipment import Equipment
from dialer.journal import Entry, JournalError, What
from dialer.legs import Dial, Leg, LegError, LegEvent
from dialer.messages import CallRequest, Released

log = logging.getLogger(__name__)


class Sending:
    """The way out of one call."""

    def __init__(self, request: CallRequest, equipment: Equipment) -> None:
        self._request, self._equipment = request, equipment
        self.sent = False
        """Whether the INVITE left."""

    async def send(
        self, on_event: Callable[[LegEvent], None], *, stopped: Callable[[], str]
    ) -> Leg | Ending | Released:
        """Send the INVITE; returns its leg, or what became of an attempt of which nothing was sent.

        ``stopped`` gives the reason when the call was called off meanwhile.
        """
        if self._window_closed():
            return self._released("send_window_missed")
        try:
            await self._write(What.SENDING)
        except JournalError as error:
            return self._released(error.code)
        try:
            unsent = self._too_late(stopped()) or await self._dial(on_event)
        except LegError as error:
            unsent = self._released(error.code) if error.retryable else failed(error.code)
        if isinstance(unsent, Ending | Released):
            if not await self.note(What.UNSENT) and isinstance(unsent, Released):
                # the journal says it was sent, and would be believed: another attempt follows under another name
                return failed("journal_failed")
        else:
            self.sent = True
        return unsent

    async def note(self, what: What, disposition: str = "") -> bool:
        """Write what became of the call, and say whether it was; a journal that fails now costs no call."""
        try:
            await self._write(what, disposition)
        except JournalError:
            log.exception("journal not written", extra={"attempt_id": self._request.attempt_id, "what": what.value})
            return False
        return True

    async def _dial(self, on_event: Callable[[LegEvent], None]) -> Leg:
        request = self._request
        dial = Dial(call_id=request.call_id, target=request.number, trunk=request.trunk)
        return await self._equipment.engine.dial(dial, on_event)

    def _too_late(self, reason: str) -> Ending | Released | None:
        if reason:
            return Ending(disposition=Disposition.CANCELLED, cause=reason)
        return self._released("send_window_missed") if self._window_closed() else None

    def _window_closed(self) -> bool:
        return asyncio.get_running_loop().time() >= self._request.send_before

    def _released(self, reason: str) -> Released:
        return Released(attempt_id=self._request.attempt_id, fence=self._request.fence, reason=reason)

    async def _write(self, what: What, disposition: str = "") -> None:
        entry = Entry(
            attempt_id=self._request.attempt_id,
            fence=self._request.fence,
            call_id=self._request.call_id,
            at=self._equipment.now(),
            what=what,
            disposition=disposition,
            contact_id=self._request.contact_id,
        )
        await self._equipment.journal.write(entry)
