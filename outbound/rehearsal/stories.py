"""Tells what became of each customer: the product's own records through REST, beside what the customer's process saw.

It collects and measures; whether it is right is judged in verdict.py.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outbound.rehearsal import directing, likeness
from outbound.rehearsal.board import Board
from outbound.rehearsal.cast import Cast
from outbound.rehearsal.client import Document, RestClient
from outbound.rehearsal.programme import Production, expected
from outbound.rehearsal.script import Deed
from outbound.rehearsal.stage import CallSeen, Stage
from outbound.rehearsal.transcribing import RIGHT, Clip, transcribe
from outbound.rehearsal.verdict import Proof, Rings, Story
from speech.audio import read_wav
from speech.measure import measure_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A production and the campaign it became."""

    production: Production
    campaign_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Words that a recording should hold, still to be recognised."""

    what: str
    words: str
    clip: Clip
    sound: Path | None = None
    """The sound that was played, where we have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story without its proofs, and what is to be proved."""

    story: Story
    claims: tuple[Claim, ...]


async def gather(
    client: RestClient, played: Sequence[Played], board: Board, stage: Stage, cast: Cast
) -> tuple[list[Told], list[Rings]]:
    """Collect every customer's story from the running host."""
    records: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for campaign in played:
        for attempt in await client.items(f"/v1/campaigns/{campaign.campaign_id}/attempts"):
            if attempt["dialed_at"] is not None:
                detail = await client.get(f"/v1/attempts/{attempt['id']}")
                records[campaign.campaign_id, attempt["number"]].append(detail)
    dialled = _by_number(records)
    calls = {attempt["id"]: call for number in dialled for attempt, call in _pairs(dialled[number], stage, number)}
    told = [
        _tell(campaign, contact.number, records[campaign.campaign_id, contact.number], calls, board, stage, cast)
        for campaign in played
        for contact in campaign.production.contacts
    ]
    names = {customer.number: customer.name for customer in cast.customers}
    rings = [
        Rings(number=number, name=name, seen=len(stage.rung[number]), dialled=len(dialled.get(number, [])))
        for number, name in names.items()
    ]
    return told, rings


async def prove(told: Sequence[Told], *, recognizer: str, language: str) -> list[Story]:
    """Recognise what the recordings hold and add the proofs to the stories."""
    claims = [claim for item in told for claim in item.claims]
    texts = iter(await transcribe([claim.clip for claim in claims], recognizer=recognizer, language=language))
    return [
        replace(
            item.story, proofs=tuple([await asyncio.to_thread(_proof, claim, next(texts)) for claim in item.claims])
        )
        for item in told
    ]


def _by_number(records: dict[tuple[str, str], list[Document]]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for (_, number), attempts in records.items():
        attempts.sort(key=lambda attempt: str(attempt["dialed_at"]))
        found[number] += attempts
    return found


def _pairs(attempts: list[Document], stage: Stage, number: str) -> list[tuple[Document, CallSeen]]:
    """Attempts and the customer's own calls, each in the order of time; one line is rung once at a time."""
    in_order = sorted(attempts, key=lambda attempt: str(attempt["dialed_at"]))
    return list(zip(in_order, stage.calls[number], strict=False))


def _tell(
    played: Played,
    number: str,
    attempts: list[Document],
    calls: dict[str, CallSeen],
    board: Board,
    stage: Stage,
    cast: Cast,
) -> Told:
    customer = next(customer for customer in cast.customers if customer.number == number)
    seen = [calls[attempt["id"]] for attempt in attempts if attempt["id"] in calls]
    taped = [call for call in seen if call.tape is not None]
    wish = expected(customer, played.production.key, cast)
    story = Story(
        campaign=played.production.key,
        number=number,
        name=customer.name,
        behaviour=", ".join(customer.behaviours).replace("_", " "),
        expected=wish,
        disposition=board.campaigns[played.campaign_id].settled.get(number, ""),
        attempts=tuple(attempts),
        refusal=board.refusals.get((played.campaign_id, number), ""),
        recordings=tuple(str(call.tape) for call in taped),
        log=str(stage.log_of(number)),
    )
    if not taped or taped[-1].tape is None:
        return Told(story=story, claims=())
    timings = measure_file(taped[-1].tape)
    story = replace(story, answer_to_audio_s=timings.answer_to_audio_s, turn_gaps_s=timings.turn_gaps_s)
    return Told(story=story, claims=tuple(_claims(story, taped[-1], stage, cast)))


def _claims(story: Story, call: CallSeen, stage: Stage, cast: Cast) -> list[Claim]:
    """What this customer's last recording must hold."""
    tape, beep = str(call.tape), call.beeped_at_s
    found = []
    if story.disposition == "handed_off" and cast.agent is not None:
        agent = next(role for role in stage.roles if role.user == cast.agent.user)
        greeting = next(directing.lines(agent))
        asked_at_s = next((at_s for deed, at_s, _ in call.deeds if deed == Deed.SAY), 0.0)
        clip = Clip(path=tape, channel=RIGHT, from_s=asked_at_s)
        sound = greeting.path(stage.voices)
        found.append(Claim(what="the agent's words", words=greeting.text, clip=clip, sound=sound))
    if story.disposition == "message_left":
        turns = [turn for turn in story.attempts[-1].get("transcript", []) if turn["who"] == "robot"]
        message = " ".join(turn["text"] for turn in turns if turn["at_s"] >= (beep or 0.0) - 0.5)
        clip = Clip(path=tape, channel=RIGHT, from_s=beep or 0.0)
        found.append(Claim(what="the message after the beep", words=message, clip=clip))
    if story.expected.heard is not None:
        clip = Clip(path=tape, channel=RIGHT, from_s=beep or 0.0)
        found.append(Claim(what=f"“{story.expected.heard}”", words=story.expected.heard, clip=clip))
    return found


def _proof(claim: Claim, heard: str) -> Proof:
    share_of_sound = None
    if claim.sound is not None:
        share_of_sound = likeness.share_heard(read_wav(claim.sound)[0][:, 0], claim.clip.sound())
    return Proof(
        what=claim.what,
        words=claim.words,
        heard=heard,
        share_of_words=likeness.share_of_words(claim.words, heard),
        share_of_sound=share_of_sound,
    )
