"""``outbound eval``: clips are read and sent down a line, and what is counted is what the product makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from outbound.errors import Invalid
from outbound.rehearsal.evaluation import command
from outbound.rehearsal.evaluation.answering import judge, known_within
from outbound.rehearsal.evaluation.channel import SILENCE_S, SNR_DB, through
from outbound.rehearsal.evaluation.clips import Clip, corpus, from_folder
from outbound.rehearsal.evaluation.recognition import score
from outbound.rehearsal.evaluation.speaking import understood
from speech import audio, modem
from speech.engines import load_recognizer
from speech.models import ModelStore

pytestmark = pytest.mark.integration

SCRIPTED = load_recognizer("scripted", ModelStore(), ("en",))


def clip(text: str, group: str, meant: str = "", condition: str = "clean") -> Clip:
    """``text`` as the scripted voice says it, which the scripted recogniser understands."""
    sound = audio.from_mulaw(audio.to_mulaw(np.concatenate([np.zeros(4000), modem.encode(text), np.zeros(8000)])
                                            .astype(np.int16)))  # fmt: skip
    return Clip(
        name=text,
        language="en",
        condition=condition,
        sound=sound,
        text=text,
        group=group,
        meant=meant,
        voice="scripted",
    )


def test_a_noisy_line_is_narrow_and_as_noisy_as_it_says() -> None:
    clock = np.arange(16000) / 8000
    tone = (8000 * np.sin(2 * np.pi * 1000 * clock)).astype(np.int16)
    clean, noisy = through(tone, "clean"), through(tone, "noisy", seed=3)
    quiet = int(SILENCE_S * 8000)
    assert audio.rms_dbfs(clean[:quiet]) < -70
    said, noise = audio.rms_dbfs(noisy[quiet:-quiet]), audio.rms_dbfs(noisy[: quiet - 200])
    assert said - noise == pytest.approx(SNR_DB, abs=2.5)
    assert audio.rms_dbfs(clean[quiet:-quiet]) - said == pytest.approx(6.0, abs=0.6)
    assert (through(tone, "noisy", seed=3) == noisy).all()


def test_replies_are_counted_as_they_were_meant() -> None:
    clips = [
        clip("yes please", "replies", "yes"),
        clip("i would like to speak to a person", "replies", "agent"),
        clip("the weather is nice", "replies", "agent"),
        clip("seven", "digits", "seven"),
        clip("eight", "digits", "nine"),
        clip("my daughter plays the violin", "out_of_domain"),
        clip("stop calling me", "out_of_domain"),
        clip("hello", "people"),
    ]
    found = score(clips, SCRIPTED)["en", "clean"]
    assert (found.right, found.replies, found.digits_right, found.digits) == (2, 3, 1, 2)
    assert (found.false, found.strange, found.utterances) == (1, 2, 7)
    assert len(found.missed) == 2
    assert any("weather" in missed for missed in found.missed)


def test_who_answered_is_judged_with_the_time_it_takes() -> None:
    greeting = "you have reached the voicemail of the smith family please leave a message after the tone"
    judged = judge(
        [
            clip("hello", "people"),
            clip(greeting, "machines"),
            clip("the number you have dialed is not in service", "networks", "vacant_number"),
            clip("the mobile you have called is switched off", "networks", "busy"),
        ],
        SCRIPTED,
    )
    assert [one.verdict.who for one in judged] == ["person", "machine", "vacant_number", "powered_off"]
    assert [one.right for one in judged] == [True, True, True, False]
    assert judged[1].verdict.at_s < len(judged[1].clip.sound) / 8000 / 2, "long before the greeting ends"
    assert known_within(judged, 60.0) == 1.0
    assert known_within(judged, 0.1) == 0.0


def test_our_own_voice_is_recognised_back() -> None:
    heard = understood([clip("your parcel comes on friday", "sentences")], SCRIPTED)
    assert heard["en", "scripted", "clean"].understood == 1.0


def test_a_folder_of_clips_is_read_and_evaluated(tmp_path: Path) -> None:
    entries = []
    for name, text, intent in (("a", "no thank you", "no"), ("b", "apples are red", ""), ("c", "two", "two")):
        audio.write_wav(tmp_path / f"{name}.wav", clip(text, "replies").sound)
        files = {"clean": f"{name}.wav", "noisy": f"{name}.wav"}
        entries.append({"id": name, "lang": "en", "text": text, "intent": intent, "kind": "tts", **files})
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    assert {one.group for one in from_folder(tmp_path)} == {"replies", "out_of_domain", "digits"}
    console = Console(record=True, width=160)
    told = command.evaluate(console, languages=["en"], engines=["scripted"], folder=tmp_path, show=True)
    assert told["recognition"]["scripted/en/noisy"]["right"] == 1
    assert "Replies understood" in console.export_text()
    command.write(tmp_path / "out.json", told)
    assert json.loads((tmp_path / "out.json").read_text())["clips"] == 6


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('[{"clean": "a.wav"}]')
    with pytest.raises(Invalid, match=r"manifest\.json: 'lang'"):
        from_folder(tmp_path)


def test_the_corpus_speaks_both_languages_in_every_group() -> None:
    for group, by_language in corpus().items():
        assert set(by_language) == {"en", "zh"}, group
