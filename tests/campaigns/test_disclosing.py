"""What rule packs want said is said, in their order and time, in the customer's language, in any flow."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.flow.disclosing import STEP, Told, with_disclosures
from campaigns.flow.document import parse_flow
from campaigns.flow.engine import start
from campaigns.flow.lint import lint
from campaigns.flow.simulate import Who, simulate
from campaigns.rules.book import built_in_packs
from tests.campaigns.flows import context, document, told
from tests.campaigns.test_callflows import CAMPAIGN, CONTACT, FOLDER, NAMES

pytestmark = pytest.mark.unit

AI = Told(when="start", say={"en": "An artificial intelligence speaks.", "zh": "这是人工智能。"})
RECORDED = Told(when="start", say={"en": "This call is recorded."})


def said(made: dict[str, Any], *inputs: str, language: str = "en", **values: str) -> list[str]:
    flow = parse_flow(made, source="made.yaml")
    given = context(language=language, **({"variables": values} if values else {}))
    return [turn.text for turn in simulate(flow, given, inputs).turns if turn.who is Who.ROBOT]


def test_it_comes_right_after_who_calls_in_the_order_given() -> None:
    made = with_disclosures(document(), [AI, RECORDED])
    _, effects = start(parse_flow(made, source="made.yaml"), context())
    assert told(effects)[:4] == [
        "step hello (identify)",
        "say This is the automated assistant of Northwind.",
        f"step {STEP} (say)",
        "say An artificial intelligence speaks. This call is recorded.",
    ]
    assert lint(parse_flow(made, source="made.yaml")) == lint(parse_flow(document(), source="made.yaml"))


def test_a_language_that_has_no_sentence_gets_another() -> None:
    offer = {"type": "say", "say": {"en": "A", "zh": "甲"}, "then": "bye"}
    both = document(languages=["en", "zh"], steps={"offer": offer})
    both["steps"]["hello"]["say"] = {"en": "Robot of {{business}}.", "zh": "{{business}}的机器人。"}
    assert said(with_disclosures(both, [AI, RECORDED]), language="zh")[1] == "这是人工智能。 This call is recorded."


def test_a_message_and_a_goodbye_can_have_theirs() -> None:
    end = Told(when="end", say={"en": "Complaints go to the regulator."})
    mailbox = Told(when="voicemail", say={"en": "To stop these calls, call us."})
    made = with_disclosures(document(), [end, mailbox])
    assert said(made, "no")[-1] == "Complaints go to the regulator. Goodbye."
    assert said(made, "(machine)")[-1].endswith("To stop these calls, call us.")


def test_nothing_changes_without_anything_to_say() -> None:
    flow = document()
    assert with_disclosures(flow, []) is flow
    assert with_disclosures(flow, [Told(when="start", say={})]) is flow
    before = document()
    with_disclosures(before, [AI])
    assert before == document()
    assert with_disclosures({"steps": "nonsense"}, [AI]) == {"steps": "nonsense"}


@pytest.mark.parametrize("name", NAMES)
def test_every_ready_flow_takes_them(name: str) -> None:
    import yaml

    flow = yaml.safe_load(FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    spoken = said(with_disclosures(flow, [AI, RECORDED]), **{**CAMPAIGN, **CONTACT[name]})
    assert spoken[1] == "An artificial intelligence speaks. This call is recorded."
    assert "Northwind" in spoken[0]


def test_what_packs_say_can_be_said_by_any_flow() -> None:
    says = [one.say for pack in built_in_packs() for one in (*pack.disclosures, *pack.recordings) if one.say]
    assert len(says) > 15
    for say in says:
        assert "en" in say
        made = with_disclosures(document(), [Told(when="start", say=say)])
        assert said(made)[1] == say["en"]
