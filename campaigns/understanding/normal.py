"""Words as they are compared: folded, unpunctuated and spelled out, each knowing where it stood in the original.

It does not know what any word means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"\b(?:[A-Za-z]\.){2,}|[^\W_]+(?:['’ʼ`´][^\W_]+)*")
"""A word, or a dotted abbreviation (``p.m.``), whose points end no clause."""
_CLAUSE_END = re.compile(r"[,.;:!?…，。；：！？、—–\n()（）“”\"\u2600-\u27bf\U0001f300-\U0001faff]|\s-+\s")
"""A punctuation mark or a picture; a hyphen only where it stands by itself."""
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "´": "'"})
_ENDINGS = {"'m": "am", "'re": "are", "'s": "is", "'ll": "will", "'ve": "have", "'d": "would"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """Normalised text: ``text`` is compared, ``origin`` leads every character back to the words as heard.

    In scripts with spaces ``text`` is ``" word word "`` (one space before, between and after); in Chinese it is
    the bare characters.
    """

    text: str
    origin: tuple[tuple[int, int], ...]
    """For each character of ``text`` the (start, end) it came from."""
    clauses: tuple[tuple[int, int], ...]
    """(start, end) in ``text`` of each stretch between punctuation marks."""
    spaced: bool

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Lead a stretch of ``text`` back to (start, end) in the original."""
        while start < end and self.text[start] == " ":
            start += 1
        while end > start and self.text[end - 1] == " ":
            end -= 1
        if start == end:
            return (0, 0)
        return self.origin[start][0], self.origin[end - 1][1]


def fold(text: str) -> str:
    """NFKC, case folding, and no accents on Latin letters."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def is_unspaced(language: str) -> bool:
    """Whether the language is written without spaces between words."""
    return language in {"zh", "ja"}


@lru_cache(maxsize=512)
def spell_out(word: str) -> tuple[str, ...]:
    """Spell out an English contraction: ``don't`` -> ``do not``; other words come back as they are."""
    word = word.translate(_APOSTROPHES)
    if word in _IRREGULAR:
        return tuple(_IRREGULAR[word].split())
    if word.endswith("n't") and len(word) > 3:
        return (word[:-3], "not")
    head, mark, tail = word.partition("'")
    if not mark:
        return (word,)
    ending = _ENDINGS.get(mark + tail)
    return (head, ending) if ending else (head + tail,)


_IRREGULAR: Mapping[str, str] = {
    "can't": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    "y'all": "you all",
    "o'clock": "oclock",
    "cannot": "can not",
    "dont": "do not",
    "doesnt": "does not",
    "didnt": "did not",
    "cant": "can not",
    "wont": "will not",
    "isnt": "is not",
    "wasnt": "was not",
    "im": "i am",
    "ive": "i have",
    "youre": "you are",
    "youve": "you have",
    "whos": "who is",
    "whats": "what is",
    "thats": "that is",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "lemme": "let me",
    "gimme": "give me",
    "dunno": "do not know",
    "ok": "okay",
    "k": "okay",
    "alright": "all right",
    "til": "until",
    "till": "until",
}


def normalise(text: str, language: str) -> Normal:
    """Normalise ``text`` as heard (or typed) for comparison in ``language``."""
    return _unspaced(text) if is_unspaced(language) else _spaced(text)


def _spaced(text: str) -> Normal:
    parts, origin, clauses = [" "], [(0, 0)], []
    length, begun, last_end = 1, 1, 0
    for start, end, words in _words(text):
        if length > begun and _CLAUSE_END.search(text, last_end, start):
            clauses.append((begun, length))
            begun = length
        for word in words:
            parts.append(word + " ")
            origin.extend([(start, end)] * (len(word) + 1))
            length += len(word) + 1
        last_end = end
    if length > begun:
        clauses.append((begun, length))
    return Normal(text="".join(parts), origin=tuple(origin), clauses=tuple(clauses), spaced=True)


def _words(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    for found in _WORD.finditer(text):
        word = fold(found.group())
        yield found.start(), found.end(), (word.replace(".", ""),) if "." in word else spell_out(word)


def _unspaced(text: str) -> Normal:
    characters: list[str] = []
    origin: list[tuple[int, int]] = []
    clauses: list[tuple[int, int]] = []
    begun = 0
    for index, raw in enumerate(text):
        if _CLAUSE_END.match(raw) and len(characters) > begun:
            clauses.append((begun, len(characters)))
            begun = len(characters)
        for character in fold(raw):
            if character.isalnum():
                characters.append(_SIMPLE.get(character, character))
                origin.append((index, index + 1))
    if len(characters) > begun:
        clauses.append((begun, len(characters)))
    return Normal(text="".join(characters), origin=tuple(origin), clauses=tuple(clauses), spaced=False)


_SIMPLE = dict(
    zip(
        "電話請說講們這個沒對嗎誰從銷訂閱號碼機選擇續費題問點鐘時間後現開會車來過還邊為發訊預約陣給讓實務業語錯聽見樣麼麽處裡裏幾買賣樂週禮拜兩轉擾騷別聯絡單撥滾舉報煩刪"
        "許準遠訴總興慮貴辦資斷衝絕傳簡無關區網暫與當錢員應幫須動進長門謝識證讀郵達運連貨賬學寫國圓場塊備價優僅兒內卻參變啟團圖壞妳將專導層帶張強復慣戶換據擔數曉條東極標"
        "樓檢權歡歲氣決況溫狀獎產盡確種稱節簽結組經緊線聲舊萬補裝計記設試誤談貼遞遲醫錄鍵閉雙難領頭額願顧飯館馬驗體廠廣歸覺紅級細繳親輕較輸適銀滿媽爾聞靜",
        "电话请说讲们这个没对吗谁从销订阅号码机选择续费题问点钟时间后现开会车来过还边为发讯预约阵给让实务业语错听见样么么处里里几买卖乐周礼拜两转扰骚别联络单拨滚举报烦删"
        "许准远诉总兴虑贵办资断冲绝传简无关区网暂与当钱员应帮须动进长门谢识证读邮达运连货账学写国圆场块备价优仅儿内却参变启团图坏你将专导层带张强复惯户换据担数晓条东极标"
        "楼检权欢岁气决况温状奖产尽确种称节签结组经紧线声旧万补装计记设试误谈贴递迟医录键闭双难领头额愿顾饭馆马验体厂广归觉红级细缴亲轻较输适银满妈尔闻静",
        strict=True,
    )
)
"""Traditional to simplified, for the characters that the intents use."""
