"""Whether a sentence sounds unfinished, so that nobody is cut off in the middle of one.

It knows nothing of what the words mean.
"""

from __future__ import annotations

from campaigns.understanding.normal import is_unspaced, normalise

_GOES_ON = {
    "en": frozenset(
        (
            *("a", "an", "the", "my", "your", "our", "their", "his", "her"),
            *("and", "or", "but", "so", "because", "if", "when", "that", "which", "than"),
            *("to", "of", "for", "with", "at", "in", "on", "from", "by", "about"),
            *("um", "uh", "er", "erm", "hmm", "like", "i", "we", "they", "am", "also", "just", "actually"),
        )
    ),
    "zh": (
        "和",
        "跟",
        "或者",
        "还有",
        "但是",
        "可是",
        "因为",
        "所以",
        "如果",
        "那个",
        "就是",
        "然后",
        "我想",
        "的时候",
    ),
}
"""Last words after which more comes: articles, conjunctions, prepositions, hesitations."""


def goes_on(text: str, language: str) -> bool:
    """Whether the last word of ``text`` asks for another; ``False`` for a language without a list."""
    ends = _GOES_ON.get(language, ())
    normal = normalise(text, language).text
    if is_unspaced(language):
        return normal.endswith(tuple(ends))
    words = normal.split()
    return bool(words) and words[-1] in ends
