"""Text of a cell: what is stored as it is, and what a spreadsheet could run."""

from __future__ import annotations

import pytest

from outbound.importing.cells import CellRefused, clean

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text", ["-10 %", "+3", "@handle", "-5,00 \u20ac", "a=b", "1=1", "\u2013", "+44 20 7946 0018", "- soon -"]
)
def test_harmless_text_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "=cmd|' /C calc'!A0",
        " =HYPERLINK(1)",
        "\t=1",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd",
        "-1\n+cmd|x",
    ],
)
def test_formulas_are_refused(text: str) -> None:
    with pytest.raises(CellRefused) as refused:
        clean(text)
    assert refused.value.code == "formula"


@pytest.mark.parametrize(("text", "code"), [("a\x07b", "control_character"), ("caf\ufffd", "encoding")])
def test_what_cannot_be_spoken_is_refused(text: str, code: str) -> None:
    with pytest.raises(CellRefused) as refused:
        clean(text)
    assert refused.value.code == code


def test_white_space_becomes_one_space() -> None:
    assert clean("  Ann\r\n  Marie\t Smith ") == "Ann Marie Smith"
    assert clean("\u00e9\u00a0 \u4e2d") == "\u00e9 \u4e2d"


def test_text_is_composed() -> None:
    assert clean("Jose\u0301") == "Jos\u00e9"
