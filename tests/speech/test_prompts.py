"""Prompts on disk, and texts cut into sentences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from speech import audio, modem, prompts
from speech.seams import Speech

pytestmark = pytest.mark.integration


def speech(text: str = "hello") -> Speech:
    on_the_line = audio.from_mulaw(audio.to_mulaw(modem.encode(text)))
    return Speech(pcm=on_the_line.tobytes(), sample_rate_hz=8000, voice="scripted:data")


def test_a_prompt_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    prompts.PromptCache(tmp_path).put("ab12", speech())
    assert prompts.PromptCache(tmp_path).get("ab12") == speech()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ab12.ulaw"]


def test_an_unknown_prompt_is_none(tmp_path: Path) -> None:
    assert prompts.PromptCache(tmp_path).get("ab12") is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other file", "no sound"])
def test_a_damaged_prompt_is_none_and_gone(tmp_path: Path, damage: str) -> None:
    cache = prompts.PromptCache(tmp_path)
    cache.put("ab12", speech())
    path = cache.path("ab12")
    data = path.read_bytes()
    head = data[: data.index(b"}\n") + 2]
    path.write_bytes(
        {
            "cut": data[:-10],
            "flipped": data[:-10] + bytes([data[-10] ^ 1]) + data[-9:],
            "empty": b"",
            "other file": b"RIFF" + bytes(100),
            "no sound": head,
        }[damage]
    )
    assert cache.get("ab12") is None
    assert not path.exists()


def test_the_least_recently_used_prompts_go_first(tmp_path: Path) -> None:
    size = len(speech().pcm) // 2 + 200
    cache = prompts.PromptCache(tmp_path, max_bytes=size * 4)
    for age, name in enumerate(("aa", "bb", "cc")):
        cache.put(name, speech())
        os.utime(cache.path(name), (1000 + age, 1000 + age))
    assert cache.get("aa") is not None  # used now: "bb" is the oldest
    cache.put("dd", speech())
    cache.put("ee", speech())
    kept = {path.stem for path in tmp_path.rglob("*.ulaw")}
    assert "bb" not in kept
    assert {"aa", "dd", "ee"} <= kept


def test_a_disk_that_refuses_leaves_nothing_half_done(tmp_path: Path) -> None:
    (tmp_path / "ab").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="ab"):
        prompts.PromptCache(tmp_path).put("ab12", speech())
    assert [path.name for path in tmp_path.iterdir()] == ["ab"]


def test_everything_that_changes_the_sound_changes_the_key() -> None:
    plain = prompts.key("piper/1/joe", language="en", rate=1.0, text="Hello  there")
    assert plain == prompts.key("piper/1/joe", language="en", rate=1.0, text=" Hello there ")
    others = {
        prompts.key("piper/2/joe", language="en", rate=1.0, text="Hello there"),
        prompts.key("piper/1/joe", language="de", rate=1.0, text="Hello there"),
        prompts.key("piper/1/joe", language="en", rate=1.2, text="Hello there"),
        prompts.key("piper/1/joe", language="en", rate=1.0, text="Hello there!"),
    }
    assert len(others | {plain}) == 5


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One sentence", ("One sentence",)),
        ("Hello. This is Ann!  Press 1?", ("Hello.", "This is Ann!", "Press 1?")),
        ("Mr. Miller, it costs 3.50 today. Fine?", ("Mr. Miller, it costs 3.50 today.", "Fine?")),
        ("We come at 9 a.m. on Friday. Bye.", ("We come at 9 a.m. on Friday.", "Bye.")),
        ('She said "stop." Then she left.', ('She said "stop."', "Then she left.")),
        ("J. Smith rang… Twice.", ("J. Smith rang…", "Twice.")),
        ("您好。请按1！谢谢", ("您好。", "请按1！", "谢谢")),
        ("  ", ()),
    ],
)
def test_texts_are_cut_where_a_speaker_pauses(text: str, parts: tuple[str, ...]) -> None:
    assert prompts.sentences(text) == parts
