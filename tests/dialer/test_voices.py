"""Which voice speaks, and who speaks when it cannot."""

from __future__ import annotations

import pytest

from dialer.voices import ANY, Voices
from speech.seams import SpeechError
from tests.dialer.world import VoiceNearby

pytestmark = pytest.mark.unit


async def test_the_first_voice_of_the_language_speaks() -> None:
    best, other = VoiceNearby(), VoiceNearby()
    voices = Voices({"en": [best, other], ANY: [VoiceNearby()]})
    assert await voices.render("Hello.", language="en", keep=True)
    assert (best.rendered, other.rendered) == (["Hello."], [])
    assert best.kept == ["Hello."]


async def test_whatever_voice_speaks_keeps_nothing_personal() -> None:
    other = VoiceNearby()
    assert await Voices({"en": [VoiceNearby(broken=True), other]}).render("Hello Ann.", language="en", keep=False)
    assert (other.rendered, other.kept) == (["Hello Ann."], [])


async def test_the_next_voice_speaks_when_the_first_cannot() -> None:
    other = VoiceNearby()
    voices = Voices({"en": [VoiceNearby(broken=True)], ANY: [other]})
    assert await voices.render("Hello.", language="en", keep=True)
    assert other.rendered == ["Hello."]


async def test_no_voice_is_an_error_with_a_remedy() -> None:
    with pytest.raises(SpeechError, match="start a synthesiser for it"):
        await Voices({"en": [VoiceNearby()]}).render("Bonjour.", language="fr", keep=True)
    with pytest.raises(SpeechError, match="nobody speaks"):
        await Voices({"en": [VoiceNearby(broken=True)]}).render("Hello.", language="en", keep=True)


async def test_prompts_are_prepared_by_the_best_voice() -> None:
    best, other = VoiceNearby(), VoiceNearby()
    await Voices({"en": [best, other]}).prepare(["Hello.", "Goodbye."], "en")
    assert (best.rendered, other.rendered) == (["Hello.", "Goodbye."], [])
