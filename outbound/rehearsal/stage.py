"""The stage of a rehearsal: the exchange and the cast as processes, and what each of them saw of every call.

It knows nothing of campaigns; whoever drives the product rings these numbers and compares afterwards.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outbound.rehearsal import directing, voices
from outbound.rehearsal.children import Child, Told
from outbound.rehearsal.directing import Role

BIND = "127.0.0.1"


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
    """``us`` (the customer), ``peer`` or ``network``."""
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
        self._people: list[Child] = []
        self._news = asyncio.Event()

    async def prepare(self) -> None:
        """Render what will be said and is not there yet, and start the exchange. Raises :class:`Unavailable`."""
        await voices.render([line for role in self.roles for line in directing.lines(role)], self.voices)
        await self._exchange.start()
        self.address = f"{BIND}:{(await self._exchange.ready()).data['port']}"

    async def open(self) -> None:
        """Start everybody, prepared before. Raises :class:`Unavailable` that names who could not start and why."""
        scripts = await asyncio.to_thread(self._write_scripts)
        for role, script in zip(self.roles, scripts, strict=True):
            person = Child(
                "outbound.rehearsal.customer",
                *("--script", str(script)),
                name=role.name,
                log=self.log_of(role.user),
                hear=lambda told, user=role.user: self._hear_person(user, told),  # type: ignore[misc]
            )
            self._people.append(person)
            await person.start()
        await asyncio.gather(*(person.ready() for person in self._people))

    async def close(self) -> None:
        """End every process; idempotent."""
        await asyncio.gather(*(person.stop() for person in self._people))
        await self._exchange.stop()

    async def all_over(self) -> None:
        """Wait until no customer is on the telephone."""
        await self.until(lambda: all(call.ended_by for calls in self.calls.values() for call in calls))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds after something was seen."""
        while not condition():
            self._news.clear()
            await self._news.wait()

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
            directing.script(role, exchange=self.address, voices=self.voices, tapes=tapes).dump(path)
            paths.append(path)
        return paths

    def _hear_exchange(self, told: Told) -> None:
        self._news.set()
        if told.kind == "rung":
            self.rung[str(told.data["user"])].append(float(told.data["at_monotonic"]))

    def _hear_person(self, user: str, told: Told) -> None:
        self._news.set()
        data, calls = told.data, self.calls[user]
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
