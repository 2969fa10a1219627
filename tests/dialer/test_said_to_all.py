"""Which sentences are the same for everybody; a contact's value is in none of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

import campaigns
from campaigns.flow.ahead import spoken_ahead
from campaigns.flow.document import parse_flow
from campaigns.flow.effects import Say
from dialer.said_to_all import SaidToAll
from dialer.script import Script
from speech.prompts import sentences
from tests.dialer.flows import DELIVERY, VARIABLES
from tests.dialer.requests import call_request

pytestmark = pytest.mark.unit
NOON = datetime(2026, 3, 2, 20, tzinfo=UTC)
FLOWS = sorted((Path(campaigns.__file__).parent / "callflows").glob("*.yaml"))


def said_to_all(flow: dict[str, object] = DELIVERY, **changes: object) -> SaidToAll:
    fields = {"flow": flow, "variables": VARIABLES, "shared": ("business",), **changes}
    return SaidToAll(parse_flow(flow, source="test"), call_request(**fields), now=NOON)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Robot of Acme.", True),
        ("Parcel Monday.", False),
        ("At home?", True),
        ("Noted.", True),
        ("Parcel from Acme on Monday.", False),
        ("Somebody said this.", False),
    ],
)
def test_sentences_with_the_campaigns_values_alone(sentence: str, expected: bool) -> None:
    assert said_to_all().includes(sentence, "en") is expected


def test_nothing_is_shared_that_nobody_calls_shared() -> None:
    known = said_to_all(shared=())
    assert not known.includes("Robot of Acme.", "en")
    assert known.includes("Goodbye.", "en")


def test_a_default_is_shared_and_a_contacts_own_value_in_its_place_is_not() -> None:
    flow = DELIVERY | {"variables": {"business": {"per": "campaign"}, "day": {"default": "soon"}}}
    assert said_to_all(flow, variables={"business": "Acme"}).includes("Parcel soon.", "en")
    assert not said_to_all(flow, variables={"business": "Acme", "day": "Monday"}).includes("Parcel Monday.", "en")


def test_a_value_that_moves_the_end_of_a_sentence_makes_it_personal() -> None:
    flow = DELIVERY | {"steps": {"bye": {"type": "hangup", "say": {"en": "Parcel for {{day}}. Goodbye."}}}}
    known = said_to_all(flow, variables={"business": "Acme", "day": "Mr"})
    assert sentences("Parcel for Mr. Goodbye.") == ("Parcel for Mr. Goodbye.",)
    assert not known.includes("Parcel for Mr. Goodbye.", "en")


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_name_is_in_no_shared_sentence_of_any_call_flow(path: Path, language: str) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    flow = parse_flow(document, source=path.stem)
    common = {name: f"{v.example or v.default or 'Acme'}" for name, v in flow.variables.items() if v.per == "campaign"}
    own = {name: "Zaphod" for name, v in flow.variables.items() if v.per == "contact"}
    assert own, "a flow without personal values proves nothing"
    fields = {"flow": document, "variables": common | own, "shared": tuple(common), "language": language}
    script = Script.open(call_request(**fields), now=NOON)
    language = script.state.language
    spoken = [part for effect in script.effects if isinstance(effect, Say) for part in sentences(effect.text)]
    assert spoken
    assert not [part for part in spoken if "Zaphod" in part and script.said_to_all.includes(part, language)]
    ahead = [part for text in spoken_ahead(flow, language, common, NOON) for part in sentences(text)]
    assert len(ahead) > 10
    assert [part for part in ahead if not script.said_to_all.includes(part, language)] == [], "all of it was rendered"
