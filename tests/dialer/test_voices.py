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
    assert await voices.render("Hello.", language="en")
    assert (best.rendered, other.rendered) == (["Hello."], [])


async def test_the_next_voice_speaks_when_the_first_cannot() -> None:
    other = VoiceNearby()
    voices = Voices({"en": [VoiceNearby(broken=True)], ANY: [other]})
    assert await voices.render("Hello.", language="en")
    assert other.rendered == ["Hello."]


async def test_no_voice_is_an_error_with_a_remedy() -> None:
    with pytest.raises(SpeechError, match="start a synthesiser for it"):
        await Voices({"en": [VoiceNearby()]}).render("Bonjour.", language="fr")
    with pytest.raises(SpeechError, match="nobody speaks"):
        await Voices({"en": [VoiceNearby(broken=True)]}).render("Hello.", language="en")


async def test_prompts_are_prepared_by_the_best_voice() -> None:
    best, other = VoiceNearby(), VoiceNearby()
    await Voices({"en": [best, other]}).prepare(["Hello.", "Goodbye."], "en")
    assert (best.rendered, other.rendered) == (["Hello.", "Goodbye."], [])
