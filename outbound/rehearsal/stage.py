"""The stage of a rehearsal: the exchange and the cast as processes, and what each of them saw of every call.

It knows nothing of campaigns; whoever drives the product rings these numbers and compares afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outbound.errors import Unavailable
from outbound.rehearsal import directing, voices
from outbound.rehearsal.children import Child, Told
from outbound.rehearsal.directing import Role

BIND = "127.0.0.1"
UP_WITHIN_S = 60.0


@dataclass(slots=True, kw_only=True)
class CallSeen:
    """One call as the customer's own process saw it; grows while the call lasts."""

    ordinal: int
    rung_at: float
    """``time.monotonic()`` of this machine."""
    answered_at: float | None = None
    deeds: list[tuple[str, float, str]] = field(default_factory=list)
    """(deed, seconds after the answer, words or digits)."""
    beeped_at_s: float | None = None
    ended_by: str = ""
    """``us`` (the customer), ``peer``, ``network``, or ``crashed`` with its process."""
    ended_at_s: float | None = None
    tape: Path | None = None
    """Stereo WAV: left what the customer said, right what it heard; ``None`` when it never answered."""


class Stage:
    """Set up with :meth:`prepare` and :meth:`open`, taken down with :meth:`close`, whatever happened between."""

    def __init__(
        self, roles: Sequence[Role], *, folder: Path, voices_folder: Path, port: int = 0, users: Sequence[str] = ()
    ) -> None:
        """``users``: others whom the exchange knows though they never register."""
        self.folder = folder
        self.rung: dict[str, list[float]] = defaultdict(list)
        """When the exchange saw an INVITE for each user (``time.monotonic()``); retransmissions are not counted."""
        self.calls: dict[str, list[CallSeen]] = defaultdict(list)
        self.address = ""
        """``host:port`` of the exchange."""
        self.roles = roles
        self.voices = voices_folder
        self._exchange = Child(
            "outbound.rehearsal.exchange",
            *(BIND, str(port), *(role.user for role in roles), *users),
            name="the exchange",
            log=folder / "logs" / "exchange.log",
            hear=self._hear_exchange,
        )
        self._people: Child | None = None
        self._up: dict[str, Told] = {}
        """What each role's process said first, or why it will never say it."""
        self._news = asyncio.Event()

    async def prepare(self) -> None:
        """Render what will be said and is not there yet, and start the exchange. Raises :class:`Unavailable`."""
        await voices.render([line for role in self.roles for line in directing.lines(role)], self.voices)
        await self._exchange.start()
        self.address = f"{BIND}:{(await self._exchange.ready()).data['port']}"

    async def open(self) -> None:
        """Start everybody, prepared before. Raises :class:`Unavailable` that names who could not start and why."""
        scripts = await asyncio.to_thread(self._write_scripts)
        self._people = Child(
            "outbound.rehearsal.customer",
            *(word for script in scripts for word in ("--script", str(script))),
            name="the cast",
            log=self.folder / "logs" / "cast.log",
            hear=self._hear_people,
        )
        await self._people.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UP_WITHIN_S):
                await self.until(lambda: len(self._up) == len(self.roles))
        for role in self.roles:
            told = self._up.get(role.user, Told(kind="failed", data={"reason": f"was not ready in {UP_WITHIN_S:g} s"}))
            if told.kind != "ready":
                reason = f"{role.name}: {told.data.get('reason')}; see {self.log_of(role.user)}"
                raise Unavailable(reason, code="rehearsal_not_ready")

    async def close(self) -> None:
        """End every process; idempotent."""
        if self._people is not None:
            await self._people.stop()
        await self._exchange.stop()

    async def all_over(self) -> None:
        """Wait until no customer is on the telephone."""
        await self.until(lambda: all(call.ended_by for calls in self.calls.values() for call in calls))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds after something was seen."""
        while not condition():
            self._news.clear()
            await self._news.wait()

    @property
    def pids(self) -> dict[str, int]:
        """The process of each user who is up."""
        return {user: told.data["pid"] for user, told in self._up.items() if told.kind == "ready"}

    def log_of(self, user: str) -> Path:
        """Where a role's process writes what went wrong in it."""
        return self.folder / "logs" / f"{user.lstrip('+')}.log"

    def voice(self) -> Path:
        """The sound of something that somebody says."""
        return next(line for role in self.roles for line in directing.lines(role)).path(self.voices)

    def _write_scripts(self) -> list[Path]:
        tapes = self.folder / "tapes"
        tapes.mkdir(parents=True, exist_ok=True)
        paths = []
        for role in self.roles:
            path = self.folder / f"{role.user.lstrip('+')}.json"
            log = self.log_of(role.user)
            directing.script(role, exchange=self.address, voices=self.voices, tapes=tapes, log=log).dump(path)
            paths.append(path)
        return paths

    def _hear_exchange(self, told: Told) -> None:
        self._news.set()
        if told.kind == "rung":
            self.rung[str(told.data["user"])].append(float(told.data["at_monotonic"]))

    def _hear_people(self, told: Told) -> None:
        self._news.set()
        user = told.data.get("user")
        if told.kind in ("crashed", "gone"):
            for lost in [user] if user else [role.user for role in self.roles]:
                self._lose(lost, told)
        elif user is not None:
            self._up.setdefault(user, told)
            self._hear_person(self.calls[user], told)

    def _lose(self, user: str, told: Told) -> None:
        """A process is no more: nobody waits for it, and its calls are over."""
        code = told.data.get("code", "no reason given")
        self._up.setdefault(user, Told(kind="failed", data={"reason": f"its process ended ({code})"}))
        for call in self.calls[user]:
            call.ended_by = call.ended_by or told.kind

    def _hear_person(self, calls: list[CallSeen], told: Told) -> None:
        data = told.data
        if told.kind == "rung":
            calls.append(CallSeen(ordinal=data["call"], rung_at=told.at_monotonic))
            return
        call = next((call for call in calls if call.ordinal == data.get("call")), None)
        if call is None:
            return
        if told.kind == "answered":
            call.answered_at = told.at_monotonic
        elif told.kind == "beeped":
            call.beeped_at_s = data["at_s"]
        elif told.kind == "over":
            call.ended_by, call.ended_at_s = data["by"], data["at_s"]
            tape = self.folder / "tapes" / data["tape"]
            call.tape = tape if call.answered_at is not None else None
        elif "text" in data:
            call.deeds.append((told.kind, data["at_s"], data["text"]))
