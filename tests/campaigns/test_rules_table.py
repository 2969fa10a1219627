"""The page of rules says what the packs say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from campaigns.rules import RulePack, built_in_packs, load_pack, read_pack
from campaigns.rules.lint import rules_of
from campaigns.rules.model import Rule
from campaigns.rules.table import main, render
from tests.campaigns.test_rules_reading import GOOD

pytestmark = pytest.mark.unit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def test_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(built_in_packs()), (
        "run: python -m campaigns.rules.table docs/rules.md"
    )


def test_page_says_what_marks_mean_and_that_it_is_no_advice() -> None:
    head = render([]).partition("## ")[0]

    assert "not legal advice" in head
    assert all(f"| {mark} | " in head for mark in "VSMH")


@pytest.mark.parametrize("pack", built_in_packs(), ids=lambda pack: pack.name)
def test_section_has_every_rule_with_its_source_and_mark(pack: RulePack) -> None:
    page = render([pack])

    for rule in rules_of(pack):
        name = rule.cite.partition("#")[2]
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert line.endswith(f"| {rule.source} | {rule.mark} |")
    assert all(note in page for note in pack.notes)
    assert all(sentence in page for sentence in pack.opt_out.wording.values())
    assert f"`{pack.id}`" in page


def test_overview_has_a_line_for_each_pack() -> None:
    page = render(built_in_packs())

    assert all(page.count(f"[{pack.title}](#{pack.name})") == 1 for pack in built_in_packs())
    assert all(page.count(f'<a id="{pack.name}"></a>') == 1 for pack in built_in_packs())


def test_overview_of_one_place() -> None:
    (line,) = [line for line in render([load_pack("fr")]).splitlines() if line.startswith("| [France]")]

    assert "mon-fri 10:00-13:00,mon-fri 14:00-20:00" not in line
    assert "| mon-fri 10:00-13:00; mon-fri 14:00-20:00 (from 2023-03-01) |" in line
    assert "4 calls in 30 calendar days (from 2023-03-01)" in line
    assert "not asked again for 60 days" in line
    assert "`fr-bloctel`" in line


def test_overview_says_what_is_forbidden() -> None:
    (line,) = [line for line in render([load_pack("us-wa")]).splitlines() if "](#us-wa)" in line]

    assert "| **forbidden**; else daily 08:00-20:00 | daily 08:00-20:00 |" in line


def test_every_kind_of_rule_in_words() -> None:
    data = {**GOOD, "caps": [*GOOD["caps"], {**GOOD["caps"][0], "id": "week", "per": "calendar week", "attempts": 1}]}
    data["caps"][1] |= {"scope": "campaign", "unless_consent": "express", "channels": ["voice", "sms"]}

    page = render([read_pack(data, file="xx.toml")])

    assert "| mon-fri 09:00-20:00; eve 10:00-19:00; none on holidays (from 2020-01-01) |" in page
    assert "| 3 calls in 24 hours, counting busy, unanswered (from 2020-01-01) |" in page
    assert (
        "1 call or message of one campaign in calendar week, counting busy, unanswered, unless there is express" in page
    )
    assert "| express, recorded with proof, at most 365 days old (from 2020-01-01) |" in page
    assert "| forbidden: it is forbidden (from 2020-01-01) |" in page
    assert "| not on `xx-dnc`, a copy at most 31 days old, unless there is express consent (from 2020-01-01) |" in page
    assert "| nothing begins in the last 60 s (from 2020-01-01) |" in page
    assert (
        "| at most 3% of the calls that people answer are abandoned, in 30 days of a campaign (from 2020-01-01) |"
        in page
    )
    assert "| at the start, within 2 s: say so (from 2020-01-01) |" in page
    assert "Holidays: those of XX; also `12-24`, `easter-47`; not `nov thu 4 +1`." in page


def test_where_none_may_be_abandoned_the_page_says_what_that_means() -> None:
    page = render([load_pack("gb")])

    assert "| none is abandoned: no call begins without a free agent | house rule: by Ofcom's policy" in page


def test_a_kind_of_rule_without_wording_is_refused() -> None:
    class Strange(Rule):
        pass

    rule = Strange(cite="x@1#s", source="", mark="H", purposes=frozenset(), channels=frozenset())
    strange = replace(load_pack("us-ca"), hours=(), disclosures=(rule,))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no wording for Strange; add it to"):
        render([strange])


def test_a_bar_in_a_text_does_not_break_the_table() -> None:
    pack = replace(load_pack("us-ca"), effective_from=date(2020, 1, 1), title="a | b")

    assert "[a \\| b](#us-ca)" in render([pack])


def test_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["table", str(tmp_path / "rules.md")])

    main()

    assert (tmp_path / "rules.md").read_text(encoding="utf-8") == render(built_in_packs())
