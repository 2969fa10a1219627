"""Turns a cast into scripts: words become lines to be rendered, behaviours lists of acts. It starts nothing."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from outbound.errors import Invalid
from outbound.rehearsal.cast import Behaviour, Cast, Step, Voice
from outbound.rehearsal.script import Act, CallScript, CustomerScript, Deed, Reply
from outbound.rehearsal.voices import Line

HEAR_AT_MOST_S = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Somebody on stage: a customer or the agent."""

    user: str
    """User part of its SIP address: its number, or the agent's name."""
    name: str
    voice: Voice
    behaviours: tuple[Behaviour, ...]
    """One for each call; the last one repeats."""
    words: Mapping[str, str]
    """What placeholders stand for."""


def roles(cast: Cast) -> tuple[Role, ...]:
    """Everybody of the cast. Raises :class:`Invalid` for a placeholder without words."""
    found = [
        Role(
            user=customer.number,
            name=customer.name,
            voice=customer.voice,
            behaviours=tuple(cast.behaviours[name] for name in customer.behaviours),
            words={**customer.says, "name": customer.name},
        )
        for customer in cast.customers
    ]
    if cast.agent is not None:
        agent = cast.agent
        words = {**agent.says, "name": agent.name}
        behaviours = (cast.behaviours[agent.behaviour],)
        found.append(Role(user=agent.user, name=agent.name, voice=agent.voice, behaviours=behaviours, words=words))
    for role in found:
        _check_words(role)
    return tuple(found)


def lines(role: Role) -> Iterator[Line]:
    """Everything a role will say."""
    for behaviour in role.behaviours:
        for step in behaviour.steps:
            if step.say is not None:
                yield line(role, step.say)


def line(role: Role, template: str) -> Line:
    """One thing a role says, in its voice."""
    voice = role.voice
    return Line(engine=voice.engine, voice=voice.voice, rate=voice.rate, text=template.format_map(role.words))


def script(role: Role, *, exchange: str, voices: Path, tapes: Path, log: Path) -> CustomerScript:
    """What the process that is this role will do."""
    calls = tuple(_call(role, behaviour, voices) for behaviour in role.behaviours)
    return CustomerScript(user=role.user, exchange=exchange, calls=calls, tapes=str(tapes), log=str(log))


def _call(role: Role, behaviour: Behaviour, voices: Path) -> CallScript:
    reply = Reply.RING if behaviour.ignore else Reply.REJECT if behaviour.reject else Reply.ANSWER
    return CallScript(
        reply=reply,
        after_s=behaviour.rings_s,
        code=behaviour.reject or 0,
        acts=tuple(_act(role, step, voices) for step in behaviour.steps),
        stay_s=behaviour.stay_s,
    )


def _act(role: Role, step: Step, voices: Path) -> Act:
    if step.say is not None:
        spoken = line(role, step.say)
        return Act(deed=Deed.SAY, text=spoken.text, sound=str(spoken.path(voices)))
    if step.listen is not None:
        patience = step.listen
        return Act(
            deed=Deed.LISTEN,
            at_least_s=patience.at_least_s,
            quiet_s=patience.quiet_s,
            at_most_s=patience.at_most_s,
        )
    if step.hear is not None:
        return Act(deed=Deed.HEAR, at_least_s=step.hear, at_most_s=HEAR_AT_MOST_S)
    if step.press is not None:
        return Act(deed=Deed.PRESS, text=step.press)
    if step.pause is not None:
        return Act(deed=Deed.PAUSE, seconds=step.pause)
    if step.beep is not None:
        return Act(deed=Deed.BEEP, seconds=step.beep)
    return Act(deed=Deed.HANG_UP)


def _check_words(role: Role) -> None:
    for behaviour in role.behaviours:
        for step in behaviour.steps:
            for _, placeholder, _, _ in string.Formatter().parse(step.say or ""):
                if placeholder is not None and placeholder not in role.words:
                    raise Invalid(
                        f"{role.name}: nothing to say for {{{placeholder}}}; add it under `says`", code="words_missing"
                    )
