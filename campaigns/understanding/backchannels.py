"""The little words with which a listener says "I am listening", and means nothing else.

Whether they are an answer depends on whether something was asked, which is the caller's to know.
"""

from __future__ import annotations

import re

from campaigns.understanding.normal import is_unspaced, normalise

_ENGLISH = re.compile(
    r"(?: (?:m+|mm+ ?h+m+|m+h+m+|h+m+|uh huh|aha|ah|oh|okay|right|all right|yes|yeah|yep|yup|sure|fine|good|great"
    r"|i see|i know|got it|go on|of course|really|thanks|thank you))+ ?"
)
_MANDARIN = re.compile(r"(?:嗯|哦|噢|喔|啊|对|好|行|是|的|吧|啦|好的|是的|知道了|明白了?|了解|谢谢)+")


def is_backchannel(text: str, language: str) -> bool:
    """Whether ``text`` is nothing but such words."""
    normal = normalise(text, language).text
    pattern = _MANDARIN if is_unspaced(language) else _ENGLISH
    return bool(normal.strip()) and language in {"en", "zh"} and pattern.fullmatch(normal) is not None
