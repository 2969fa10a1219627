"""What works at every step: opt-out, a person, another time, who is this; machines, hangups and cutting in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from campaigns.dispositions import Disposition
from campaigns.flow import effects as fx
from campaigns.flow.document import FlowError
from campaigns.flow.engine import MOST_TURNS, State, advance, start
from campaigns.flow.findings import Severity
from campaigns.flow.inputs import Digits, HandoffEnded, Heard, HungUp, Input, Machine, Silence
from campaigns.flow.lint import lint
from campaigns.flow.simulate import read_input
from tests.campaigns.flows import BASE, NOW, context, flow, talk, told

pytestmark = pytest.mark.unit

QUESTION = "say Renew? For a person press 0, to stop these calls 9."
LISTEN = "listen 6s 500ms 1"
OPT_OUT = [
    "step stop (opt_out)",
    "say We will not call you again. Sorry to have disturbed you. Goodbye.",
    "hangup opted_out opted_out",
]
CONNECTING = ["step person (handoff)", "say One moment please, I am connecting you."]
BOOKED = [
    "say Thank you. We will call you tomorrow at three PM. Goodbye.",
    "hangup callback_booked",
]
TWO_LANGUAGES = {
    "languages": ["en", "zh"],
    "keys": {"language": "8"},
    "voicemail": "hangup",
    "steps": {
        "offer": {
            "type": "ask",
            "say": {"en": "Renew?", "zh": "要续吗？"},
            "answers": {"yes": {"key": 1, "then": "bye"}, "no": {"key": 2, "then": "bye"}},
            "otherwise": "silent",
        }
    },
}


def test_it_begins_with_the_caller_and_comes_to_the_point() -> None:
    state, effects = talk(flow())
    assert told(effects) == [
        "step hello (identify)",
        "say This is the automated assistant of Northwind.",
        "step offer (ask)",
        QUESTION,
        LISTEN,
    ]
    assert state.step == "offer"
    listen = effects[-1]
    assert isinstance(listen, fx.Listen)
    assert {"yes", "no", "stop calling me", "speak to an agent"} <= set(listen.phrases)


@pytest.mark.parametrize("words", ["stop calling me", "No thanks, and take me off your list", "stop cooling me", "#9"])
@pytest.mark.parametrize("before", [[], ["(silence)"], ["i'm busy"], ["#0"], ["yes"], ["(machine)"]])
def test_an_opt_out_is_taken_anywhere_and_recorded_before_a_word_is_said(before: list[str], words: str) -> None:
    state, effects = talk(flow(), *before, words)
    lines = [line for line in told(effects) if not line.startswith("refusal")]
    assert lines == ["understood opt_out", OPT_OUT[0], f"opt-out {words.removeprefix('#')!r} all", *OPT_OUT[1:]]
    assert state.opted_out


def test_cancel_stops_everything_unless_it_is_an_answer() -> None:
    assert talk(flow(), "cancel")[0].opted_out
    assert talk(flow(), "yes", "cancel!")[0].opted_out
    asked = flow(
        steps={
            "offer": {
                "type": "ask",
                "say": "Keep it?",
                "answers": {"no": {"key": 2, "intents": ["no", "cancel"], "settle": "declined", "then": "bye"}},
                "otherwise": "silent",
            }
        }
    )
    assert told(talk(asked, "cancel")[1])[-1] == "hangup declined"


@pytest.mark.parametrize("words", ["nine", "press nine", "I said number nine"])
def test_the_key_can_be_said(words: str) -> None:
    assert told(talk(flow(), words)[1])[-1] == "hangup opted_out opted_out"


@pytest.mark.parametrize("before", [[], ["yes"], ["#0"], ["call me later"], ["(machine)"], ["goodbye"], ["(silence)"]])
@pytest.mark.parametrize("key", ["#9", "press nine", "nine"])
def test_the_key_works_at_every_step_pressed_or_said(before: list[str], key: str) -> None:
    _, effects = talk(flow(), *before, key)
    assert told(effects)[-1] == "hangup opted_out opted_out"
    assert any(isinstance(effect, fx.RecordOptOut) for effect in effects)


@pytest.mark.parametrize("before", [[], ["(silence)"], ["#1234"], ["one two three four"]])
def test_the_key_works_where_digits_are_collected(before: list[str]) -> None:
    number = {"type": "collect", "say": "Number?", "least": 4, "save_as": "code", "then": "bye", "otherwise": "bye"}
    assert told(talk(flow(steps={"offer": number}), *before, "#9")[1])[-1] == "hangup opted_out opted_out"


def test_an_opt_out_is_never_followed_by_anything_else() -> None:
    for words in ("yes please", "can i talk to a person", "call me tomorrow", "not interested", "#0", "#1", "stop"):
        _, effects = talk(flow(), "stop calling me", words)
        assert told(effects) == ["understood None", "hangup opted_out opted_out"]
    _, effects = talk(flow(), "stop calling me", "(hangup)")
    assert told(effects) == ["hangup opted_out opted_out"]


NARROW: dict[str, Any] = {
    "steps": {
        "offer": {
            **BASE["steps"]["offer"],
            "answers": {"yes": {"key": 1, "then": "bye"}, "no": {"key": 2, "then": "less"}},
        },
        "less": {"type": "opt_out", "scope": "purpose", "say": "No more offers."},
    },
    "anytime": {"opt_out": "stop"},
}
"""An answer leads to an opt-out for the campaign's purpose."""


@pytest.mark.parametrize("words", ["never call me again", "#9", "press nine", "cancel"])
def test_one_for_everything_counts_after_a_narrower_one(words: str) -> None:
    tested = flow(**NARROW)
    assert not [finding for finding in lint(tested) if finding.severity is Severity.ERROR]
    state, effects = talk(tested, "no")
    assert [effect.scope for effect in effects if isinstance(effect, fx.RecordOptOut)] == ["purpose"]
    state, effects = advance(tested, State.from_dict(state.to_dict()), read_input(words))
    assert [effect.scope for effect in effects if isinstance(effect, fx.RecordOptOut)] == ["all"]
    assert told(effects)[-1] == "hangup opted_out opted_out"
    _, effects = advance(tested, state, read_input(words))
    assert told(effects) == ["understood None", "hangup opted_out opted_out"]


@pytest.mark.parametrize("words", ["yes please", "can i talk to a person", "#0", "call me tomorrow", "#1"])
def test_nothing_else_counts_after_a_narrower_one(words: str) -> None:
    assert told(talk(flow(**NARROW), "no", words)[1]) == ["understood None", "hangup opted_out opted_out"]


def test_who_says_never_again_is_not_taken_for_less() -> None:
    """The lint refuses such a flow; a campaign that is older than the lint has it."""
    stale = flow(steps={"stop": {"type": "opt_out", "scope": "purpose"}})
    _, effects = talk(stale, "stop calling me")
    assert [effect.scope for effect in effects if isinstance(effect, fx.RecordOptOut)] == ["all"]


@pytest.mark.parametrize("words", ["can I talk to a real person?", "agent", "#0", "zero"])
def test_a_person_can_be_asked_for(words: str) -> None:
    state, effects = talk(flow(), words)
    lines = told(effects)
    assert lines[1:-1] == CONNECTING
    assert lines[-1].startswith("handoff default: Tested flow, in en. The customer said:")
    assert state.transferring


def test_without_an_agent_a_callback_is_booked() -> None:
    _, effects = talk(flow(), "agent", can_hand_off=False)
    assert [line for line in told(effects) if line.startswith("step")] == ["step person (handoff)", "step later (book)"]
    assert not any(isinstance(effect, fx.Handoff) for effect in effects)


def test_a_handoff_that_failed_is_not_tried_again() -> None:
    _, effects = talk(flow(), "agent", "(no agent)", "agent")
    assert not any(isinstance(effect, fx.Handoff) for effect in effects)


def test_a_wish_for_a_person_outlives_silence() -> None:
    _, effects = talk(flow(), "agent please", "(no agent)", "(hangup)")
    assert told(effects) == ["callback None 'agent please'", "hangup callback_booked"]


def test_while_an_agent_rings_the_customer_may_speak() -> None:
    state, effects = talk(flow(), "agent", "hello?")
    assert isinstance(effects[-1], fx.Handoff)
    assert not any(isinstance(effect, fx.Say) for effect in effects)
    _, effects = talk(flow(), "agent", "forget it, goodbye")
    assert isinstance(effects[-1], fx.Hangup)
    assert state.transferring


def test_another_time_is_booked_at_once_when_it_was_said() -> None:
    _, effects = talk(flow(), "call me tomorrow at three")
    assert told(effects) == [
        "understood call_later",
        "step later (book)",
        "callback 2026-11-25T15:00:00-05:00 'call me tomorrow at three'",
        "set callback_time=2026-11-25T15:00:00-05:00",
        *BOOKED,
    ]


def test_a_time_is_read_from_when_it_was_said_in_the_customers_zone() -> None:
    said_at = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)  # 22:30 of the 24th in New York
    _, effects = talk(flow(), Heard(text="call me tomorrow at three", at=said_at))
    assert "callback 2026-11-25T15:00:00-05:00 'call me tomorrow at three'" in told(effects)


def test_a_busy_customer_who_says_nothing_more_is_called_back_by_a_human() -> None:
    _, effects = talk(flow(), "i'm driving right now", *["(silence)"] * 3)
    assert told(effects)[-3:] == [
        "say Thank you. We will call you back. Goodbye.",
        'callback None "i\'m driving right now"',
        "hangup callback_booked",
    ]


def test_a_booked_time_can_be_corrected_during_the_goodbye() -> None:
    _, effects = talk(flow(), "call me tomorrow at three", "no, tomorrow at four")
    assert "callback 2026-11-25T16:00:00-05:00 'no, tomorrow at four'" in told(effects)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("who is this?", "say I am the automated assistant of Northwind."),
        ("are you a robot", "say Yes, I am an automated assistant, calling for Northwind."),
    ],
)
def test_who_calls_is_answered_and_the_question_put_again(words: str, answer: str) -> None:
    _, effects = talk(flow(), words)
    assert told(effects)[1:] == [answer, QUESTION, LISTEN]


@pytest.mark.parametrize("words", ["what?", "say that again", "can you speak more slowly please"])
def test_the_question_is_repeated(words: str) -> None:
    assert told(talk(flow(), words)[1])[1:] == [QUESTION, LISTEN]


def test_hello_after_the_first_words_means_they_were_not_heard() -> None:
    _, effects = talk(flow(), "hello?")
    assert told(effects)[1:] == ["say This is the automated assistant of Northwind.", QUESTION, LISTEN]
    _, effects = talk(flow(), "what?", "hello?")
    assert told(effects)[1:] == [QUESTION, LISTEN]


def test_somebody_who_needs_a_moment_gets_it() -> None:
    assert told(talk(flow(), "hold on a second")[1])[1:] == ["say Of course, take your time.", "listen 20s 500ms 1"]


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("you have the wrong number", "hangup wrong_person"),
        ("goodbye", "hangup informed"),
        ("i already renewed it", "hangup informed already_done"),
        ("not interested", "hangup declined"),
        ("it's too expensive", "hangup declined"),
        ("yes well I'm not interested", "hangup declined"),
        ("no thank you bye", "hangup declined"),
    ],
)
def test_the_call_ends_as_the_customer_wants_it(words: str, end: str) -> None:
    assert told(talk(flow(), words)[1])[-1] == end


# Refusing the offer


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("no", ["understood no", "refusal 'no'", "step bye (hangup)", "say Goodbye.", "hangup declined"]),
        ("#2", ["understood digit:2", "refusal '2'", "step bye (hangup)", "say Goodbye.", "hangup declined"]),
        ("it's too expensive", ["understood refuse_offer", 'refusal "it\'s too expensive"', "step bye (hangup)"]),
        ("not interested, stop calling", ["understood opt_out", "refusal 'not interested, stop calling'", OPT_OUT[0]]),
        (
            "no thanks, and stop calling me",
            ["understood opt_out", "refusal 'no thanks, and stop calling me'", OPT_OUT[0]],
        ),
    ],
)
def test_a_refusal_is_told_with_its_words(words: str, lines: list[str]) -> None:
    state, effects = talk(flow(), words)
    assert told(effects)[: len(lines)] == lines
    assert state.refused


@pytest.mark.parametrize(
    "words",
    ["yes", "#1", "stop calling me", "#9", "no, I'm driving, call me later", "i'm busy", "(silence)", "goodbye"],
)
def test_nothing_else_is_a_refusal(words: str) -> None:
    state, effects = talk(flow(), words)
    assert not state.refused
    assert not any(isinstance(effect, fx.Refusal) for effect in effects)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ([], "not interested"),
        (["#0"], "not interested"),
        (["yes"], "I'm not interested"),
        (["call me later"], "not interested"),
    ],
)
def test_a_refusal_counts_at_any_time_and_once(before: list[str], words: str) -> None:
    state, effects = talk(flow(), *before, words)
    assert [effect.words for effect in effects if isinstance(effect, fx.Refusal)] == [words]
    _, effects = advance(flow(), state, Heard(text=words))
    assert not any(isinstance(effect, fx.Refusal) for effect in effects)


def test_a_no_to_what_is_no_offer_refuses_nothing() -> None:
    asked = {"type": "ask", "say": "At home?", "answers": {"no": {"key": 2, "then": "bye"}}, "otherwise": "silent"}
    for words in ("no", "#2"):
        assert not talk(flow(steps={"offer": asked}), words)[0].refused


@pytest.mark.parametrize(
    "bye",
    [
        {"type": "hangup", "say": "Goodbye.", "disposition": "declined"},
        {"type": "say", "say": "A pity.", "settle": "declined", "then": "silent"},
    ],
)
def test_any_step_that_declines_refuses_if_the_customer_answered(bye: dict[str, object]) -> None:
    ask = {"type": "ask", "say": "Renew?", "answers": {"no": {"key": 2, "then": "bye"}}, "otherwise": "bye", "limit": 1}
    tested = flow(steps={"offer": ask, "bye": bye})
    assert "refusal '2'" in told(talk(tested, "#2")[1])
    state, effects = talk(tested, "(silence)", "(silence)")
    assert told(effects)[-1] == "hangup declined"
    assert not state.refused


def test_contradictory_words_are_asked_back() -> None:
    assert told(talk(flow(), "yes, no")[1])[:2] == ["understood None", "say Sorry, I did not understand."]


@pytest.mark.parametrize("tried", ["(silence)", "(noise)", "the cat sat on the mat", "#5"])
def test_reprompts_end(tried: str) -> None:
    state, effects = talk(flow(), tried, tried)
    assert isinstance(effects[-1], fx.Listen)
    _, effects = advance(flow(), state, {"(silence)": Silence(), "#5": Digits(digits="5")}.get(tried, Heard(text="")))
    assert told(effects)[-1] == "hangup no_response"


def test_a_conversation_that_comes_to_nothing_is_ended() -> None:
    _, effects = talk(flow(), *["who is this"] * (MOST_TURNS + 1))
    assert told(effects) == ["say Thank you. Goodbye.", "hangup informed"]


# Hanging up, and words during the goodbye


@pytest.mark.parametrize(
    ("before", "end"),
    [
        ([], "hangup hung_up"),
        (["(silence)"], "hangup hung_up"),
        (["yes"], "hangup accepted renewed"),
        (["no"], "hangup declined"),
        (["stop calling me"], "hangup opted_out opted_out"),
        (["#0"], "hangup hung_up"),
        (["goodbye"], "hangup informed"),
        (["(machine)"], "hangup message_left"),
        (["i'm busy"], "hangup callback_booked"),
    ],
)
def test_hanging_up_leaves_what_was_settled(before: list[str], end: str) -> None:
    assert told(talk(flow(), *before, "(hangup)")[1])[-1] == end


def test_an_agent_can_be_asked_for_during_the_goodbye() -> None:
    assert isinstance(talk(flow(), "yes", "wait, can i talk to a person")[1][-1], fx.Handoff)
    _, effects = talk(flow(), "yes", "can i talk to a person", can_hand_off=False)
    assert told(effects) == ["understood None", "hangup accepted renewed"]


def test_anything_else_during_the_goodbye_just_ends_it() -> None:
    events: list[Input | str] = ["okay bye", "#1", "(noise)", Silence(), Machine(), HandoffEnded(connected=True)]
    for event in events:
        assert told(talk(flow(), "yes", event)[1])[-1] == "hangup accepted renewed"


# Machines


def test_a_machine_gets_the_message_after_its_beep() -> None:
    _, effects = talk(flow(), Machine())
    message = "say This is Northwind, please call forty-nine dollars and ninety cents. [after beep]"
    assert told(effects) == [message, "hangup message_left"]
    assert [effect.barge_in for effect in effects if isinstance(effect, fx.Say)] == [False]


def test_a_greeting_of_a_machine_is_a_machine_too() -> None:
    for words in ("you have reached Ella Novak", "please leave a message after the tone"):
        assert told(talk(flow(), words)[1])[-1] == "hangup message_left"
    _, effects = talk(flow(), "hello", "i am not available right now please leave a message after the tone")
    assert told(effects)[-1] == "hangup message_left"


def test_a_machine_is_hung_up_on_where_the_flow_says_so() -> None:
    assert told(talk(flow(voicemail="hangup"), Machine())[1]) == ["hangup machine"]


def test_an_opt_out_is_no_machine_whatever_else_was_said() -> None:
    state, _ = talk(flow(), "do not leave a message and stop calling me please leave a message")
    assert state.opted_out


def test_a_machine_is_not_believed_once_somebody_answered() -> None:
    _, effects = talk(flow(), "who is this", Machine())
    assert told(effects) == [LISTEN]


# Cutting in


def test_a_yes_before_the_question_is_no_answer() -> None:
    _, effects = talk(flow(), Heard(text="yes?", unheard=2))
    assert told(effects) == [
        "understood None",
        "say This is the automated assistant of Northwind.",
        QUESTION,
        LISTEN,
    ]
    _, effects = talk(flow(), Heard(text="yes", unheard=1))
    assert told(effects)[0] == "understood yes"
    _, effects = talk(flow(), Heard(text="stop calling me", unheard=2))
    assert told(effects)[-1] == "hangup opted_out opted_out"


def test_a_noise_that_cut_the_question_off_is_not_the_customers_fault() -> None:
    state, effects = talk(flow(), Heard(text="", unheard=1))
    assert told(effects) == ["understood None", QUESTION, LISTEN]
    for _ in range(6):
        state, effects = advance(flow(), state, Heard(text="", unheard=1))
    assert told(effects)[-1] == "hangup no_response"


# Languages


def test_the_language_is_the_contacts_else_the_flows_first() -> None:
    two = flow(**TWO_LANGUAGES)
    assert talk(two, language="zh")[0].language == "zh"
    assert talk(two, language="fr")[0].language == "en"


@pytest.mark.parametrize("wish", ["#8", "chinese please", "do you speak Mandarin"])
def test_the_language_can_be_changed(wish: str) -> None:
    state, effects = talk(flow(**TWO_LANGUAGES), wish)
    assert told(effects)[1:] == ["say 我是Northwind的自动语音助手。", "step offer (ask)", "say 要续吗？", LISTEN]
    state, effects = advance(flow(**TWO_LANGUAGES), state, Heard(text="不要再打了"))
    assert told(effects)[-2:] == ["say 我们不会再给您打电话。打扰您了，再见。", "hangup opted_out opted_out"]


# Beginning, and what is written down


def test_a_conversation_can_be_written_down_and_gone_on_with() -> None:
    state, _ = talk(flow(), "agent", "(no agent)")
    again = State.from_dict(json.loads(json.dumps(state.to_dict())))
    assert again == state
    assert advance(flow(), again, Heard(text="tomorrow at three")) == advance(
        flow(), state, Heard(text="tomorrow at three")
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"variables": {}}, "variable_missing"),
        ({"variables": {"business": " "}}, "variable_missing"),
        ({"zone": "Mars/Olympus"}, "unknown_zone"),
        ({"zone": ""}, "unknown_zone"),
        ({"now": NOW.replace(tzinfo=None)}, "naive_now"),
    ],
)
def test_a_call_that_would_go_wrong_does_not_begin(changes: dict[str, object], code: str) -> None:
    with pytest.raises(FlowError) as caught:
        start(flow(), context(**changes))
    assert [finding.code for finding in caught.value.findings] == [code]


def test_a_flow_that_the_lint_would_refuse_still_ends_politely() -> None:
    circle = flow(steps={"offer": {"type": "say", "say": "Round.", "then": "offer"}})
    _, effects = talk(circle)
    assert isinstance(effects[-2], fx.Problem)
    assert told(effects)[-1] == "hangup informed"
    nowhere = flow(steps={"offer": {"type": "say", "say": "Nowhere."}})
    assert "problem offer: The step has no way on." in told(talk(nowhere)[1])
    lost = flow(start="nothing")
    assert told(talk(lost, HungUp())[1]) == ["hangup informed"]


def test_a_flow_without_ways_out_still_honours_an_opt_out() -> None:
    bare = flow(steps={"stop": None, "person": None, "later": None})
    assert talk(bare, "stop calling me")[0].opted_out
    _, effects = talk(bare, "can i talk to a person")
    assert told(effects)[-2:] == ["callback None 'can i talk to a person'", "hangup callback_booked"]


def test_every_disposition_a_flow_gives_is_one_of_an_answered_call() -> None:
    from campaigns.dispositions import ANSWERED
    from campaigns.flow.steps.hangup import ALLOWED

    assert set(ALLOWED) <= ANSWERED
    assert Disposition.OPTED_OUT not in ALLOWED


ASKED_BACK = ["understood None", "say Did you say: yes please? Please say yes or no.", LISTEN]


def test_badly_heard_words_are_asked_back_before_they_decide() -> None:
    doubtful = Heard(text="yes please.", confidence=0.1)
    assert told(talk(flow(), doubtful)[1]) == ASKED_BACK
    assert told(talk(flow(), Heard(text="yes please.", confidence=0.9))[1])[0] == "understood yes"
    assert told(talk(flow(), doubtful, "yes")[1])[-1] == "hangup accepted renewed"


def test_a_no_to_what_was_asked_back_refuses_nothing() -> None:
    said = told(talk(flow(), Heard(text="yes please.", confidence=0.1), "no")[1])
    assert said == ["understood None", "say Sorry, I did not understand.", QUESTION, LISTEN]


def test_other_words_than_yes_or_no_are_taken_as_they_are() -> None:
    doubtful = Heard(text="yes please.", confidence=0.1)
    assert told(talk(flow(), doubtful, "stop calling me")[1])[-2:] == OPT_OUT[1:]
    assert told(talk(flow(), doubtful, "#2")[1])[-1] == "hangup declined"
    assert told(talk(flow(), doubtful, Heard(text="no thanks", confidence=0.1))[1])[-1] != ASKED_BACK[1]


def test_nothing_is_asked_back_twice_in_a_row() -> None:
    doubtful = Heard(text="yes please.", confidence=0.1)
    said = told(talk(flow(), doubtful, Heard(text="okay", confidence=0.1))[1])
    assert said[-1] == "hangup accepted renewed"


@pytest.mark.parametrize("words", ["stop calling me", "a real person please", "goodbye"])
def test_what_binds_us_is_never_doubted(words: str) -> None:
    said = told(talk(flow(), Heard(text=words, confidence=0.01))[1])
    assert "Did you say" not in " ".join(said)
    assert said[0] in {"understood opt_out", "understood agent", "understood goodbye"}


def test_another_reading_counts_where_the_first_means_nothing() -> None:
    stop = Heard(text="Oh, it beat.", confidence=0.3, alternatives=("stop calling me",))
    said = told(talk(flow(), stop)[1])
    assert said[-2:] == OPT_OUT[1:]
    assert "opt-out 'stop calling me' all" in said
    yes = Heard(text="Guess leaves.", confidence=0.9, alternatives=("mumble", "yes please"))
    assert told(talk(flow(), yes)[1]) == ASKED_BACK
    plain = Heard(text="No thanks.", confidence=0.9, alternatives=("yes please",))
    assert told(talk(flow(), plain)[1])[-1] == "hangup declined"


def test_what_was_asked_back_survives_being_written_down() -> None:
    state, _ = talk(flow(), Heard(text="yes please.", confidence=0.1))
    assert State.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_a_value_is_never_taken_for_another_reading() -> None:
    number = {"type": "collect", "say": "Number?", "least": 4, "save_as": "n", "then": "bye", "otherwise": "silent"}
    asking = flow(steps={"offer": number})
    heard = Heard(text="four two one one", confidence=0.1, alternatives=("wrong number",))
    assert told(talk(asking, heard)[1])[0] == "understood n"


def test_hold_music_is_waited_out_and_counts_as_nothing() -> None:
    state, effects = talk(flow(), *[Heard(text="", lasted_s=30.0)] * 6)
    assert told(effects) == ["understood None", "listen 20s 500ms 1"]
    assert (state.no_matches, state.no_inputs, state.ended) == (0, 0, False)
    _, effects = advance(flow(), state, Heard(text="hello, sorry about that"))
    assert QUESTION in told(effects)
    assert told(talk(flow(), Heard(text="", lasted_s=0.6))[1])[0] == "understood None"
    assert talk(flow(), Heard(text="", lasted_s=0.6))[0].no_matches == 1
