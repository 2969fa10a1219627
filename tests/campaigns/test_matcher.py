"""Understanding: what customers say, as small recognisers write it down, and what they must not be taken to say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.understanding.matcher import understand
from campaigns.understanding.vocabulary import intent_names, languages, sayings, vocabulary

pytestmark = pytest.mark.unit

ASKED = ("yes", "no", "digit:1", "digit:2")

ENGLISH: dict[str, list[str]] = {
    "yes": [
        "yes", "Yes, please.", "yeah", "Yep!", "sure", "okay", "OK.", "of course", "go ahead", "that's right",
        "that's fine", "sounds good", "absolutely", "no problem", "um, yes", "well okay then", "uh huh", "I do",
        "yes I will be home", "All right.", "why not", "please do", "yeah sure thank you", "Correct.",
        "that will be fine", "works for me",
    ],
    "no": [
        "no", "No.", "nope", "no thanks", "No, thank you.", "not really", "I don't think so", "no I won't", "nah",
        "absolutely not", "I'd rather not", "no way", "never mind", "no no no", "um no", "not at all",
        "I'm good, thanks",
    ],
    "opt_out": [
        "stop calling me", "Stop calling me!", "stop cooling me", "please stop calling", "stop", "Stop. Thank you.",
        "don't call me again", "do not call me", "never call me again", "don't ever call this number again",
        "take me off your list", "take my name off the list", "remove my number", "remove me from your list",
        "lose my number", "unsubscribe me", "I want to opt out", "put me on the do not call list",
        "I revoke my consent", "leave me alone", "no more calls", "I don't want any more calls", "quit calling me",
        "stop harassing me", "you never stop calling", "why do you keep calling me", "I don't want to be called",
        "go away", "stop it", "can't you stop calling me", "I told you not to call me", "delete my number please",
    ],
    "cancel": ["cancel", "Cancel, please."],
    "refuse_offer": [
        "not interested", "I'm not interested", "I don't want it", "I don't need that", "I don't want to renew",
        "it's too expensive", "I'll pass", "cancel my membership", "I won't renew", "let it expire", "no interest",
    ],
    "call_later": [
        "call me later", "call me back tomorrow", "Can you call back later?", "call me tomorrow at three",
        "try again later", "it's not a good time", "another time", "later", "call me on Monday", "call me in an hour",
        "maybe later", "he is not here right now", "please don't call me right now", "give me a call back",
    ],
    "busy_now": [
        "I'm busy", "I'm driving", "I'm in a meeting", "I can't talk right now", "I am at work", "not right now",
        "I have no time", "I'm really busy right now", "we are in the middle of dinner",
    ],
    "agent": [
        "agent", "speak to an agent", "Can I talk to a real person?", "operator", "representative please",
        "a human please", "I want to speak with someone", "customer service", "get me a manager",
        "transfer me to a person", "speak to an asian", "I don't talk to machines", "I want a person not a robot",
        "put me through", "is there a person I can talk to",
    ],
    "wrong_person": [
        "wrong number", "You have the wrong number.", "there's nobody by that name here", "she doesn't live here",
        "this is not her", "I'm not him", "you've got the wrong person", "I don't know him", "not my parcel",
    ],
    "who_is_this": [
        "who is this", "Who's calling?", "sorry who is this", "who are you", "what company is this",
        "what is this about", "where are you calling from", "who?", "why are you calling me",
    ],
    "are_you_a_robot": [
        "are you a robot", "Is this a recording?", "am I talking to a machine", "are you a real person",
        "are you human", "is this a real person", "you're a robot", "robot?",
    ],
    "repeat": [
        "what", "What?", "pardon", "say that again", "can you repeat that please", "Could you repeat that?", "sorry?",
        "I didn't catch that", "I can't hear you", "come again", "one more time please", "excuse me", "huh",
        "what did you say", "I didn't understand",
    ],
    "slower": ["slower please", "can you speak more slowly", "you're talking too fast", "slow down"],
    "hold_on": [
        "hold on", "one moment please", "wait a minute", "hang on a second", "just a moment", "let me get a pen",
        "wait",
    ],
    "goodbye": ["goodbye", "bye", "bye bye", "have a nice day", "talk to you later", "I'm hanging up", "okay bye"],
    "already_done": [
        "I already renewed it", "I already paid", "already did", "I've already done that",
        "it's already been delivered", "I paid it yesterday", "it's taken care of", "we already got it",
        "I already removed it",
    ],
    "voicemail": [
        "please leave a message after the tone", "You have reached the voicemail of Ann.",
        "I'm not able to take your call", "the person you are trying to reach is not available",
        "record your message at the beep",
    ],
    "greeting": [
        "hello", "Hello?", "hi there", "good morning", "are you there", "can you hear me", "hello, Mary speaking",
    ],
    "price": ["how much does it cost", "how much is it", "what's the price", "how much"],
    "speak_zh": ["can you speak Chinese", "Mandarin please"],
    "digit:1": ["one", "1", "One.", "press one", "number one please", "option 1", "I press one"],
    "digit:2": ["two", "2.", "pressing two", "to"],
}  # fmt: skip
MANDARIN: dict[str, list[str]] = {
    "yes": [
        "是的", "好的", "可以", "好", "行", "没问题", "对", "嗯", "是", "好的，谢谢", "要的", "当然可以", "我愿意",
        "对对对",
    ],
    "no": ["不要", "不", "不是", "不可以", "不行", "不要了谢谢", "没有", "不对", "我不要"],
    "opt_out": [
        "不要再给我打电话", "不要再打了", "别再打了", "不要骚扰我", "骚扰电话", "怎么老打", "把我号码删了", "拉黑",
        "加黑名单", "我要投诉", "退订", "请不要再打电话给我了", "别打了", "以后不要打电话", "你们不要再騷擾我",
    ],
    "refuse_offer": ["不需要", "没兴趣", "不感兴趣", "我不想续费", "不用了", "不考虑", "算了吧", "不需要，谢谢"],
    "call_later": [
        "晚点再打", "明天下午三点再打给我", "改天吧", "换个时间", "等一下再打给我", "现在不方便", "过一会儿再打",
    ],
    "busy_now": ["我在开会", "没空", "我现在很忙", "我在开车", "没时间", "我正在上班"],
    "agent": ["转人工", "我要找人工客服", "人工服务", "我想跟真人说话", "转人工客服", "找你们经理", "轉人工"],
    "wrong_person": ["你打错了", "打错电话了", "我不是本人", "没有这个人", "你搞错了吧"],
    "who_is_this": ["你是谁", "请问你是哪位", "你哪里的", "什么公司", "谁啊", "你们是干什么的"],
    "are_you_a_robot": ["你是机器人吗", "是真人吗", "你是不是机器人", "又是机器人"],
    "repeat": ["什么", "请再说一遍", "没听清", "再说一次", "你说什么", "没听懂"],
    "slower": ["说慢一点", "你说得太快了"],
    "hold_on": ["等一下", "稍等", "别挂", "等等"],
    "goodbye": ["再见", "拜拜", "挂了"],
    "already_done": ["我已经续保了", "已经办过了", "我已经付过了", "收到了"],
    "voicemail": ["您拨打的用户暂时无法接通", "请在提示音后留言", "暂时无人接听"],
    "greeting": ["喂", "喂你好", "你好", "您好", "听得见吗"],
    "price": ["多少钱", "什么价格", "怎么收费"],
    "speak_en": ["说英语", "可以讲英文吗"],
    "digit:1": ["一", "1", "按一"],
    "digit:2": ["二", "按2", "选二"],
}  # fmt: skip
NOTHING: list[tuple[str, str]] = [
    ("en", text)
    for text in (
        "", "...", "the gold ring was found on the sandy beach", "I would like a large coffee with milk",
        "one two three four", "nine one one", "no idea", "nobody knows", "right now",
        "she called his name many times", "I have two kids", "don't stop", "please don't stop calling me",
        "I don't want to talk to an agent", "I didn't say stop calling me", "to be or not to be that is the question",
        "music", "the bus stop is around the corner", "it rains", "the yes vote won in the county",
        "I know what you mean about the weather",
    )
]  # fmt: skip
NOTHING += [("zh", text) for text in ("", "今天天气不错", "换一首歌", "要不要", "是不是", "我们公司的业绩", "一二三四")]
NOTHING += [("zh", "甚至出现交易几乎停滞的情况")]
BOTH: list[tuple[str, str, set[str]]] = [
    ("en", "no thanks, and stop calling me", {"no", "opt_out"}),
    ("en", "no stop calling me", {"no", "opt_out"}),
    ("en", "I'm busy right now, call me later", {"busy_now", "call_later"}),
    ("en", "sorry, who is this", {"who_is_this"}),
    ("en", "hello, yes", {"greeting", "yes"}),
    ("en", "okay, bye", {"yes", "goodbye"}),
    ("en", "yes, no", {"yes", "no"}),
    ("en", "please don't transfer me to an agent, just stop calling", {"opt_out"}),
    ("en", "not interested, take me off your list", {"refuse_offer", "opt_out"}),
    ("zh", "不用了，别再打了", {"refuse_offer", "opt_out"}),
    ("zh", "好的，再见", {"yes", "goodbye"}),
    ("zh", "不是，你打错了", {"no", "wrong_person"}),
]


@pytest.mark.parametrize(("intent", "text"), [(intent, text) for intent, texts in ENGLISH.items() for text in texts])
def test_english(intent: str, text: str) -> None:
    assert intent in {match.intent for match in understand(text, "en", ASKED)}


@pytest.mark.parametrize(("intent", "text"), [(intent, text) for intent, texts in MANDARIN.items() for text in texts])
def test_mandarin(intent: str, text: str) -> None:
    assert intent in {match.intent for match in understand(text, "zh", ASKED)}


@pytest.mark.parametrize(("language", "text"), NOTHING)
def test_what_means_nothing_is_not_forced(language: str, text: str) -> None:
    assert understand(text, language, ASKED) == []


@pytest.mark.parametrize(("language", "text", "intents"), BOTH)
def test_several_meanings_are_all_reported(language: str, text: str, intents: set[str]) -> None:
    assert {match.intent for match in understand(text, language, ASKED)} == intents


@pytest.mark.parametrize(
    ("opt_out", "refusal", "later"),
    [("stop calling me", "not interested", "I'm driving, call me later"), ("别再打了", "没兴趣", "我在开会，晚点再打")],
)
def test_the_three_outcomes_are_kept_apart(opt_out: str, refusal: str, later: str) -> None:
    language = "en" if opt_out.isascii() else "zh"
    found = [{match.intent for match in understand(text, language)} for text in (opt_out, refusal, later)]
    assert found == [{"opt_out"}, {"refuse_offer"}, {"busy_now", "call_later"}]


def test_weak_words_count_only_where_they_are_asked_for() -> None:
    assert understand("fine", "en") == []
    assert [match.intent for match in understand("fine", "en", ["yes"])] == ["yes"]
    assert understand("to", "en", ["digit:1"]) == []
    assert [match.intent for match in understand("to", "en", ["digit:2"])] == ["digit:2"]
    assert understand("嗯", "zh", ["yes"])[0].confidence < understand("是的", "zh")[0].confidence


def test_a_match_says_where_its_words_are() -> None:
    text = "Well… No thanks, and STOP calling me!"
    assert [text[slice(*match.span)] for match in understand(text, "en")] == ["No thanks", "STOP calling me"]
    text = "那个，请 不要 再打了"
    assert [text[slice(*match.span)] for match in understand(text, "zh")] == ["不要 再打"]


def test_words_at_the_end_of_a_clause_count_without_a_comma() -> None:
    for text in ("i told you people already please stop", "we are fine as it is just go away"):
        assert "opt_out" in {match.intent for match in understand(text, "en")}, text
    assert understand("the driver will please stop at the gate", "en") == []
    assert understand("we will not just stop", "en") == []


def test_a_no_that_answers_negates_nothing() -> None:
    for text in ("absolutely not stop calling me", "no i am not take me off your list"):
        assert {match.intent for match in understand(text, "en")} == {"no", "opt_out"}, text
    assert {match.intent for match in understand("不要别再打了", "zh")} == {"no", "opt_out"}
    assert "opt_out" not in {match.intent for match in understand("我没说不要再打", "zh")}


def test_an_author_may_look_for_phrases_of_their_own() -> None:
    own = {"office": ["in the office", "at my desk"]}
    assert [match.intent for match in understand("I am in the Office!", "en", (), own)] == ["office"]
    assert understand("I'm not in the office", "en", (), own) == []
    assert understand("in the officer", "en", (), own) == []
    assert [match.intent for match in understand("我在办公室", "zh", (), {"office": ["办公室"]})] == ["office"]


def test_both_languages_know_what_the_engine_takes_at_any_time() -> None:
    for language in languages():
        assert {"opt_out", "agent", "call_later", "wrong_person", "repeat", "yes", "no"} <= vocabulary(language).names
        assert set(sayings(language, frozenset({"opt_out"}))) <= set(sayings(language, intent_names()))


def test_what_people_typically_say_is_understood() -> None:
    for language in languages():
        for intent in vocabulary(language).intents:
            for said in intent.say:
                assert intent.name in {match.intent for match in understand(said, language, ASKED)}, said


def test_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(LookupError, match="en, zh"):
        understand("hei", "fi")


@given(st.text(max_size=80), st.sampled_from(["en", "zh"]))
def test_no_text_breaks_it(text: str, language: str) -> None:
    for match in understand(text, language, ASKED):
        start, end = match.span
        assert 0 <= start < end <= len(text)
        assert 0 < match.confidence <= 1
