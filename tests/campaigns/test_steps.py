"""A golden conversation for every step type; a new type without one fails."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.flow.registry import step_class, step_types
from tests.campaigns.flows import flow, talk, told

pytestmark = pytest.mark.unit

OPENING = {"hello": {"type": "identify", "say": "The robot of {{business}}.", "then": "here"}}

LOOK_UP = {
    "type": "request",
    "system": "parcels",
    "operation": "status",
    "send": {"customer": "{{customer}}", "price": "{{price}}"},
    "save": {"day": "arrives"},
    "answers": {"ok": {"settle": "informed", "outcome": "found", "then": "bye"}},
    "otherwise": "silent",
}

GOLDEN: dict[str, list[tuple[dict[str, Any], list[str], list[str]]]] = {
    # type: [(steps, inputs, effects of the last input)]
    "identify": [
        (
            {"here": {"type": "hangup"}},
            [],
            ["step hello (identify)", "say The robot of Northwind.", "step here (hangup)", "hangup informed"],
        )
    ],
    "say": [
        (
            {
                "here": {
                    "type": "say",
                    "say": "It costs {{price}}.",
                    "settle": "informed",
                    "outcome": "told",
                    "then": "bye",
                }
            },
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (say)",
                "say It costs forty-nine dollars and ninety cents.",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup informed told",
            ],
        )
    ],
    "ask": [
        (
            {
                "here": {
                    "type": "ask",
                    "say": "Home?",
                    "answers": {
                        "yes": {"key": 1, "settle": "accepted", "outcome": "at_home", "then": "bye"},
                        "out": {"key": 2, "phrases": {"en": ["in the office"]}, "then": "silent"},
                    },
                    "otherwise": "silent",
                    "save_as": "home",
                }
            },
            ["yeah sure"],
            [
                "understood yes",
                "set home=yes",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup accepted at_home",
            ],
        ),
        (
            {
                "here": {
                    "type": "ask",
                    "say": "Home?",
                    "answers": {"no": {"key": 2, "settle": "declined", "outcome": "not_wanted", "then": "bye"}},
                    "otherwise": "silent",
                }
            },
            ["no thank you"],
            [
                "understood no",
                "refusal 'no thank you'",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup declined not_wanted",
            ],
        ),
        (
            {
                "here": {
                    "type": "ask",
                    "say": "Home?",
                    "answers": {"out": {"key": 2, "phrases": {"en": ["in the office"]}, "then": "bye"}},
                    "otherwise": "silent",
                    "no_input": "Still there?",
                }
            },
            ["(silence)"],
            ["say Still there?", "listen 6s 500ms 1"],
        ),
        (
            {
                "here": {
                    "type": "ask",
                    "say": "Home?",
                    "answers": {"out": {"key": 2, "phrases": {"en": ["in the office"]}, "then": "bye"}},
                    "otherwise": "silent",
                }
            },
            ["the weather is lovely", "well, I'm in the office"],
            ["understood out", "step bye (hangup)", "say Goodbye.", "hangup informed"],
        ),
        (
            {
                "here": {
                    "type": "ask",
                    "say": "Home?",
                    "answers": {"out": {"key": 2, "phrases": {"en": ["in the office"]}, "then": "bye"}},
                    "otherwise": "silent",
                    "limit": 1,
                }
            },
            ["the weather is lovely", "#7"],
            ["understood None", "step silent (hangup)", "hangup no_response"],
        ),
    ],
    "branch": [
        (
            {
                "here": {
                    "type": "branch",
                    "variable": "price",
                    "cases": [{"at_least": 40, "below": 45, "then": "silent"}, {"at_least": 45, "then": "bye"}],
                    "otherwise": "silent",
                }
            },
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (branch)",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup informed",
            ],
        ),
        (
            {
                "here": {
                    "type": "branch",
                    "variable": "customer",
                    "cases": [{"given": False, "then": "silent"}, {"is": ["mary jones"], "then": "bye"}],
                    "otherwise": "silent",
                }
            },
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (branch)",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup informed",
            ],
        ),
    ],
    "set": [
        (
            {
                "here": {"type": "set", "values": {"greeting": "Dear {{customer}}"}, "then": "tell"},
                "tell": {"type": "say", "say": "{{greeting}}.", "then": "bye"},
            },
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (set)",
                "set greeting=Dear Mary Jones",
                "step tell (say)",
                "say Dear Mary Jones.",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup informed",
            ],
        )
    ],
    "opt_out": [
        (
            {"here": {"type": "opt_out", "say": "Never again.", "scope": "purpose"}},
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (opt_out)",
                "opt-out '' purpose",
                "say Never again.",
                "hangup opted_out opted_out",
            ],
        )
    ],
    "handoff": [
        (
            {"here": {"type": "handoff", "queue": "sales", "summary": "{{customer}} calls", "otherwise": "bye"}},
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (handoff)",
                "say One moment please, I am connecting you.",
                "handoff sales: Mary Jones calls",
            ],
        ),
        (
            {"here": {"type": "handoff", "otherwise": "bye"}},
            ["(connected)"],
            ["hangup handed_off"],
        ),
        (
            {"here": {"type": "handoff", "sorry": "Nobody is here.", "otherwise": "bye"}},
            ["(no agent)"],
            [
                "problem here: Nobody took the handoff: no_agent.",
                "say Nobody is here.",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup informed",
            ],
        ),
    ],
    "book": [
        (
            {"here": {"type": "book", "say": "When?"}},
            ["tomorrow at three"],
            [
                "understood call_later",
                "callback 2026-11-25T15:00:00-05:00 'tomorrow at three'",
                "set callback_time=2026-11-25T15:00:00-05:00",
                "say Thank you. We will call you tomorrow at three PM. Goodbye.",
                "hangup callback_booked",
            ],
        ),
        (
            {"here": {"type": "book", "say": "When?", "confirm": "At {{callback_time}}.", "then": "bye"}},
            ["#2"],
            [
                "understood digit:2",
                "callback 2026-11-25T15:00:00-05:00 '2'",
                "set callback_time=2026-11-25T15:00:00-05:00",
                "say At tomorrow at three PM.",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup callback_booked",
            ],
        ),
        (
            {"here": {"type": "book", "say": "When?", "limit": 1}},
            ["when the cows come home", "when pigs fly"],
            [
                "understood None",
                "say Thank you. We will call you back. Goodbye.",
                "callback None 'when pigs fly'",
                "hangup callback_booked",
            ],
        ),
        (
            {"here": {"type": "book", "say": "When?"}},
            ["no thanks"],
            ["understood no", "say Thank you. Goodbye.", "hangup informed"],
        ),
    ],
    "collect": [
        (
            {
                "here": {
                    "type": "collect",
                    "say": "Your postcode?",
                    "least": 5,
                    "save_as": "postcode",
                    "then": "bye",
                    "otherwise": "silent",
                }
            },
            ["nine four one oh three"],
            [
                "understood postcode",
                "say I understood nine, four, one, zero, three. If that is right, press 1 or say yes. "
                "If not, press 2 or say no.",
                "listen 6s 500ms 1",
            ],
        ),
        (
            {
                "here": {
                    "type": "collect",
                    "say": "Your code?",
                    "kind": "code",
                    "least": 3,
                    "most": 6,
                    "save_as": "code",
                    "confirm": "{{value | spell}}?",
                    "then": "bye",
                    "otherwise": "silent",
                }
            },
            ["alpha two seven", "no", "bravo two seven", "that's right"],
            ["understood yes", "set code=B27", "step bye (hangup)", "say Goodbye.", "hangup informed"],
        ),
        (
            {
                "here": {
                    "type": "collect",
                    "say": "Your postcode?",
                    "least": 5,
                    "save_as": "postcode",
                    "limit": 1,
                    "then": "bye",
                    "otherwise": "silent",
                }
            },
            ["#94", "(silence)"],
            ["step silent (hangup)", "hangup no_response"],
        ),
    ],
    "rate": [
        (
            {"here": {"type": "rate", "say": "How easy?", "save_as": "effort", "then": "bye", "otherwise": "silent"}},
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (rate)",
                "say How easy?",
                "listen 8s 500ms 1",
            ],
        ),
        (
            {"here": {"type": "rate", "say": "How easy?", "save_as": "effort", "then": "bye", "otherwise": "silent"}},
            ["I'd say four out of five"],
            ["understood digit:4", "set effort=4", "step bye (hangup)", "say Goodbye.", "hangup informed"],
        ),
        (
            {
                "here": {
                    "type": "rate",
                    "say": "How easy?",
                    "words": {5: {"en": ["very easy"]}},
                    "save_as": "effort",
                    "then": "bye",
                    "otherwise": "silent",
                }
            },
            ["the weather", "oh, it was very easy"],
            ["understood digit:5", "set effort=5", "step bye (hangup)", "say Goodbye.", "hangup informed"],
        ),
        (
            {"here": {"type": "rate", "say": "How easy?", "save_as": "effort", "then": "bye", "otherwise": "silent"}},
            ["#7"],
            ["understood None", "say Sorry, I did not understand.", "say How easy?", "listen 8s 500ms 1"],
        ),
        (
            {"here": {"type": "rate", "say": "How easy?", "save_as": "effort", "then": "bye", "otherwise": "silent"}},
            ["seven", "(silence)", "(noise)"],
            ["understood None", "step silent (hangup)", "hangup no_response"],
        ),
        (
            {"here": {"type": "rate", "say": "How easy?", "save_as": "effort", "then": "bye", "otherwise": "silent"}},
            ["three, and stop calling me"],
            [
                "understood opt_out",
                "step stop (opt_out)",
                "opt-out 'three, and stop calling me' all",
                "say We will not call you again. Sorry to have disturbed you. Goodbye.",
                "hangup opted_out opted_out",
            ],
        ),
    ],
    "request": [
        (
            {"here": LOOK_UP},
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (request)",
                "say One moment, please.",
                "request here-1 parcels.status customer=Mary Jones price=49.90 USD 8s",
            ],
        ),
        (
            {"here": {**LOOK_UP, "say": "I am looking it up.", "deadline_s": 3}},
            ["what?"],
            [
                "understood None",
                "request here-1 parcels.status customer=Mary Jones price=49.90 USD 3s",
            ],
        ),
        (
            {"here": LOOK_UP},
            ["(reply ok day=2026-12-05)"],
            [
                "set arrives=2026-12-05",
                "step bye (hangup)",
                "say Goodbye.",
                "hangup informed found",
            ],
        ),
        (
            {"here": LOOK_UP},
            ["(reply lost)"],
            [
                "problem here: parcels: it answered 'lost', which the step does not know.",
                "set arrives=",
                "step silent (hangup)",
                "hangup no_response",
            ],
        ),
        (
            {"here": LOOK_UP},
            ["(no reply)"],
            [
                "problem here: parcels: no reply was given",
                "set arrives=",
                "step silent (hangup)",
                "hangup no_response",
            ],
        ),
    ],
    "hangup": [
        (
            {"here": {"type": "hangup", "say": "Bye, {{customer}}.", "disposition": "declined", "outcome": "no"}},
            [],
            [
                "step hello (identify)",
                "say The robot of Northwind.",
                "step here (hangup)",
                "say Bye, Mary Jones.",
                "hangup declined no",
            ],
        )
    ],
}
UNIQUE: dict[str, dict[str, Any]] = {"opt_out": {"stop": None}, "handoff": {"person": None}, "book": {"later": None}}
"""Only one step of these types may be there without saying which serves at any time."""
CASES = [(kind, *case) for kind, cases in GOLDEN.items() for case in cases]


def test_every_step_type_has_a_golden_case() -> None:
    assert set(GOLDEN) == set(step_types())


@pytest.mark.parametrize("kind", step_types())
def test_a_step_is_named_as_its_file(kind: str) -> None:
    assert step_class(kind).type == kind


@pytest.mark.parametrize(("kind", "steps", "inputs", "expected"), CASES)
def test_golden(kind: str, steps: dict[str, Any], inputs: list[str], expected: list[str]) -> None:
    tested = flow(steps={**OPENING, **UNIQUE.get(kind, {}), **steps})
    assert tested.steps["hello" if kind == "identify" else "here"].type == kind
    _, effects = talk(tested, *inputs)
    assert told(effects) == expected


def test_an_unknown_type_has_no_class() -> None:
    with pytest.raises(LookupError):
        step_class("sing")
