"""Runs the evaluation and prints its tables; the same figures as JSON where they are asked for."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from outbound.rehearsal.evaluation.answering import PERSON, WITHIN_S, Judged, judge, known_within
from outbound.rehearsal.evaluation.clips import Clip, from_folder, spoken
from outbound.rehearsal.evaluation.recognition import Score, score
from outbound.rehearsal.evaluation.speaking import understood
from speech.engines import AUTO, load_recognizer
from speech.models import ModelStore
from speech.seams import ModelMissing, Recognizer, SpeechError

AIMS = {("en", "clean"): 95, ("en", "noisy"): 90, ("zh", "clean"): 90, ("zh", "noisy"): 80}
"""Intents understood, per cent."""
MOST_FALSE, MOST_MISTAKEN = 2, 2
"""Per cent of out-of-domain clips taken for something, and of people taken for machines."""


def evaluate(
    console: Console, *, languages: Sequence[str], engines: Sequence[str], folder: Path | None, show: bool
) -> dict[str, Any]:
    """Evaluate ``engines`` on the built-in corpus, or on the clips in ``folder``; returns the figures."""
    console.print("Speaking …" if folder is None else "Reading …", style="dim")
    clips = spoken(languages) if folder is None else [c for c in from_folder(folder) if c.language in languages]
    told: dict[str, Any] = {"clips": len(clips), "recognition": {}, "answering": {}, "speaking": {}}
    console.print(f"{len(clips)} clips by {len({clip.voice for clip in clips})} voices", style="dim")
    for engine in engines:
        for language in languages:
            recognizer = _load(engine, language, console)
            if recognizer is not None:
                mine = [clip for clip in clips if clip.language == language]
                told["recognition"] |= _recognition(console, engine, mine, recognizer, show)
                if engine == AUTO:
                    told["answering"] |= _answering(console, language, mine, recognizer)
                    told["speaking"] |= _speaking(console, mine, recognizer)
    return told


def write(path: Path, told: dict[str, Any]) -> None:
    """Keep the figures."""
    path.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _load(engine: str, language: str, console: Console) -> Recognizer | None:
    try:
        return load_recognizer(engine, ModelStore(), (language,))
    except (ModelMissing, SpeechError, ImportError) as error:
        console.print(f"{engine} does not hear {language} here: {error}", style="yellow")
        return None


def _recognition(
    console: Console, engine: str, clips: Sequence[Clip], recognizer: Recognizer, show: bool
) -> dict[str, Any]:
    table = _table("Replies understood", "Engine", "Language", "Line", "Intents", "Aim", "Digits", "False", "CPU/reply")
    told = {}
    for (language, condition), one in score(clips, recognizer).items():
        aim = AIMS.get((language, condition))
        cpu_s = one.cpu_s / max(one.utterances, 1)
        table.add_row(
            engine,
            language,
            condition,
            _share(one.right, one.replies),
            f"{aim} %" if aim else "",
            _share(one.digits_right, one.digits),
            f"{_share(one.false, one.strange)} (at most {MOST_FALSE} %)",
            f"{cpu_s:.2f} s",
        )
        told[f"{engine}/{language}/{condition}"] = _plain(one) | {"cpu_s_per_reply": round(cpu_s, 3)}
        if show:
            for missed in one.missed:
                console.print(f"  {condition}: {missed}", style="dim", highlight=False)
    console.print(table)
    return told


def _answering(console: Console, language: str, clips: Sequence[Clip], recognizer: Recognizer) -> dict[str, Any]:
    judged = judge(clips, recognizer)
    if not judged:
        return {}
    table = _table(
        "Who answered",
        "Language",
        "Line",
        "Machines known",
        "As what they are",
        "People mistaken",
        "Median",
        *(f"{seconds:g} s" for seconds in WITHIN_S),
    )
    told = {}
    for condition in dict.fromkeys(one.clip.condition for one in judged):
        mine = [one for one in judged if one.clip.condition == condition]
        machines = [one for one in mine if one.clip.group != "people"]
        people = [one for one in mine if one.clip.group == "people"]
        median_s = statistics.median([one.verdict.at_s for one in machines if one.is_machine] or [0.0])
        curve = {seconds: known_within(mine, seconds) for seconds in WITHIN_S}
        table.add_row(
            language,
            condition,
            _share(sum(one.is_machine for one in machines), len(machines)),
            _share(sum(one.right for one in machines), len(machines)),
            f"{_share(sum(one.is_machine for one in people), len(people))} (at most {MOST_MISTAKEN} %)",
            f"{median_s:.1f} s",
            *(f"{share:.0%}" for share in curve.values()),
        )
        told[f"{language}/{condition}"] = {
            "known": curve,
            "median_s": round(median_s, 2),
            "of": len(machines),
        } | _errors(mine)
    console.print(table)
    return told


def _errors(judged: Sequence[Judged]) -> dict[str, Any]:
    wrong = [f"{one.clip.text} -> {one.verdict.who}" for one in judged if not one.right]
    mistaken = sum(one.verdict.who != PERSON for one in judged if one.clip.group == "people")
    return {"people": sum(one.clip.group == "people" for one in judged), "people_mistaken": mistaken, "wrong": wrong}


def _speaking(console: Console, clips: Sequence[Clip], recognizer: Recognizer) -> dict[str, Any]:
    found = understood(clips, recognizer)
    if not found:
        return {}
    table = _table("Our voices, recognised back", "Language", "Voice", "Line", "Words", "Sentences")
    for (language, voice, condition), heard in found.items():
        table.add_row(language, voice, condition, f"{heard.understood:.0%}", str(heard.sentences))
    console.print(table)
    return {"/".join(key): round(heard.understood, 3) for key, heard in found.items()}


def _plain(one: Score) -> dict[str, Any]:
    names = ("replies", "right", "digits", "digits_right", "strange", "false", "missed")
    return {name: getattr(one, name) for name in names}


def _share(some: int, of: int) -> str:
    return f"{some}/{of} ({some / of:.0%})" if of else "-"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column)
    return table
