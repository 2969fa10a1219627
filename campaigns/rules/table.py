"""Renders the rule packs as a page for operators, one place for the words of every kind of rule; ``python -m
campaigns.rules.table docs/rules.md`` writes it.

It invents no wording: whatever it says of a rule is what the pack says, or its numbers in words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from campaigns.rules.book import built_in_packs
from campaigns.rules.lint import SOLD, rules_of
from campaigns.rules.model import (
    CHANNELS,
    EVERYWHERE,
    PURPOSES,
    AbandonmentLimit,
    Ban,
    Cap,
    ConsentRule,
    Disclosure,
    Guard,
    Hours,
    RecordingRule,
    RefusalBar,
    Register,
    Rule,
    RulePack,
)
from campaigns.rules.windows import DAY_S, DAYS, Window

R = TypeVar("R", bound=Rule)
_HEAD = """\
# Calling rules

Written by `python -m campaigns.rules.table docs/rules.md` from the packs in `campaigns/rules/*.toml`; a test compares.

**This is not legal advice.** It is what the product obeys, with where each rule was found and how sure we are of it:

| Mark | Meaning |
| --- | --- |
| V | official or statute text was read |
| S | from a secondary source: a law firm, a vendor, the press, a quotation |
| M | from memory, unchecked |
| H | a rule of the house, or a practice: no law that we know of says so |

A mark speaks of what a rule says. Names and sections of laws beside the marks S and M are from memory unless quoted.

Of all packs that apply to a contact the strictest wins: the state's beside the federal one, the Union's beside the
national one, and `house` beside all. The windows of one rule are alternatives; several rules must all be open; windows
of an eve, a half day or a date only narrow those of its weekday. Hours are the customer's own. A rule without a date
holds for any day that is asked about.

## Marketing at a glance

The other purposes and everything else are in the sections below. A dash: this pack says nothing, others may.

"""
_COLUMNS = ("Place", "Calls", "Messages", "Days off", "Caps", "Consent", "After a refusal", "Register", "Version")
_KIND_NAMES = {"holiday": "holidays", "eve": "eves of holidays", "half_day": "half days"}
_WHEN = {
    "start": "at the start",
    "end": "by the end",
    "voicemail": "on voicemail",
    "message": "in the message",
    "on_request": "on request",
}
_THINGS = {"voice": "call", "sms": "message"}
_NONE = "-"


def render(packs: Sequence[RulePack]) -> str:
    """The page, in Markdown: an overview, then a section for each pack; what holds everywhere first, then by title."""
    packs = sorted(packs, key=lambda pack: (_is_place(pack), pack.title))
    rows = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *(_row(_overview(pack)) for pack in packs)]
    return _HEAD + "\n".join(rows) + "\n" + "".join(_section(pack) for pack in packs)


def window_text(window: Window) -> str:
    """A window as packs write it: ``mon-fri 09:00-20:00``."""
    return f"{window.special or _days_text(window.days)} {_time(window.start_s)}-{_time(window.end_s)}"


def _is_place(pack: RulePack) -> bool:
    return bool(pack.jurisdictions) and EVERYWHERE not in pack.jurisdictions


def _overview(pack: RulePack) -> list[str]:
    return [
        f"[{pack.title}](#{pack.name})",
        *(_hours_at_a_glance(pack, channel) for channel in CHANNELS),
        _by_channel(pack, _days_off),
        _joined(_what(cap) for cap in pack.caps if SOLD in cap.purposes),
        _by_channel(pack, _needs),
        _joined(_what(bar) for bar in pack.refusals if SOLD in bar.purposes),
        _joined(f"`{register.register}`" for register in pack.registers if SOLD in register.purposes),
        pack.version,
    ]


def _hours_at_a_glance(pack: RulePack, channel: str) -> str:
    hours = _joined(_windows_text(rule) + _dates(rule) for rule in _sold(pack.hours, channel))
    return f"**forbidden**; else {hours}" if _sold(pack.bans, channel) else hours


def _by_channel(pack: RulePack, said: Callable[[RulePack, str], str]) -> str:
    calls, messages = (said(pack, channel) for channel in CHANNELS)
    return calls if calls == messages else f"calls: {calls}; messages: {messages}"


def _days_off(pack: RulePack, channel: str) -> str:
    off: list[str] = []
    for rule in _sold(pack.hours, channel):
        open_days = frozenset(day for window in rule.windows for day in window.days)
        if closed := frozenset(range(7)) - open_days:
            off.append(_days_text(closed) + _dates(rule))
        off += [_KIND_NAMES[kind] for kind in sorted(rule.closed_on)]
    return ", ".join(dict.fromkeys(off)) or _NONE


def _needs(pack: RulePack, channel: str) -> str:
    return _joined(_what(rule) for rule in _sold(pack.consents, channel))


def _sold(rules: Iterable[R], channel: str) -> list[R]:
    return [rule for rule in rules if rule.covers(SOLD, channel)]


def _section(pack: RulePack) -> str:
    lines = [f'\n<a id="{pack.name}"></a>', f"## {pack.title}", "", f"`{pack.id}`, for {_places(pack)}.", ""]
    lines += [_row(["Rule", "For", "By", "Says", "Source", "Mark"]), _row(["---"] * 6)]
    lines += [_row(rule_cells(rule)) for rule in rules_of(pack)]
    if pack.holidays is not None:
        lines += ["", _holidays_text(pack)]
    if pack.opt_out.words:
        lines += ["", *_opt_out_lines(pack)]
    lines += ["", *(f"- Note: {note}" for note in pack.notes)] if pack.notes else []
    return "\n".join(lines) + "\n"


def rule_cells(rule: Rule) -> list[str]:
    """A rule in words: its name, for which purposes, by which channels, what it says, its source, how sure it is."""
    return [
        f"`{rule.cite.partition('#')[2]}`",
        ", ".join(purpose for purpose in PURPOSES if purpose in rule.purposes),
        ", ".join(channel for channel in CHANNELS if channel in rule.channels),
        _what(rule),
        rule.source,
        rule.mark,
    ]


def _what(rule: Rule) -> str:
    """What a rule says, and when it begins or ends to hold."""
    match rule:
        case Hours():
            text = _hours_text(rule)
        case Cap():
            text = _cap_text(rule)
        case ConsentRule():
            text = _consent_text(rule)
        case Ban():
            text = f"forbidden: {rule.reason}"
        case RefusalBar():
            text = "never asked again" if rule.days is None else f"not asked again for {rule.days} days"
        case Register():
            lifted = f", unless there is {_kind(rule.lifted_by)} consent" if rule.lifted_by else ""
            text = f"not on `{rule.register}`, a copy at most {rule.max_age_s / 86400:g} days old{lifted}"
        case Guard():
            text = f"nothing begins in the last {rule.closing_s:g} s"
        case AbandonmentLimit():
            text = _limit_text(rule)
        case Disclosure():
            within = "" if rule.within_s is None else f", within {rule.within_s:g} s"
            said = f" Said: “{_first(rule.say)}”" if rule.say else ""
            text = f"{_WHEN[rule.when]}{within}: {rule.text}{said}"
        case RecordingRule():
            text = _RECORDED[rule.needs] + (f" Said: “{_first(rule.say)}”" if rule.say else "")
        case _:
            raise TypeError(f"no wording for {type(rule).__name__}; add it to campaigns/rules/table.py")
    return text + _dates(rule)


def _first(say: Mapping[str, str]) -> str:
    """A sentence in the language it was written in first."""
    return next(iter(say.values()))


_RECORDED = {
    "notice": "recorded only where the customer is told.",
    "consent": "recorded only where the customer is told and says yes.",
    "never": "never recorded.",
}


def _windows_text(rule: Hours) -> str:
    """Windows with the same hours together, as packs write them."""
    days: dict[str, list[str]] = {}
    for window in rule.windows:
        day, _, hours = window_text(window).rpartition(" ")
        days.setdefault(hours, []).append(day)
    return "; ".join(f"{','.join(found)} {hours}" for hours, found in days.items())


def _hours_text(rule: Hours) -> str:
    closed = "".join(f"; none on {_KIND_NAMES[kind]}" for kind in sorted(rule.closed_on))
    return _windows_text(rule) + closed


def _cap_text(cap: Cap) -> str:
    if cap.period_s is not None:
        period = _rolling_text(cap.period_s)
    elif cap.calendar_days is not None:
        period = _count(cap.calendar_days, "calendar day")
    else:
        period = f"calendar {cap.calendar_unit}"
    outcomes = f", counting {', '.join(sorted(cap.outcomes))}" if cap.outcomes else ""
    scope = " of one campaign" if cap.scope == "campaign" else ""
    lifted = f", unless there is {_kind(cap.unless_consent)} consent" if cap.unless_consent else ""
    things = " or ".join(_THINGS[channel] for channel in CHANNELS if channel in cap.channels)
    return f"{_count(cap.attempts, things)}{scope} in {period}{outcomes}{lifted}"


def _limit_text(limit: AbandonmentLimit) -> str:
    if not limit.share:
        return "none is abandoned: no call begins without a free agent"
    period = _rolling_text(limit.period_s)
    return f"at most {100 * limit.share:g}% of the calls that people answer are abandoned, in {period} of a campaign"


def _rolling_text(period_s: float) -> str:
    if period_s % 86400 == 0 and period_s > 86400:
        return _count(period_s / 86400, "day")
    return _count(period_s / 3600, "hour") if period_s % 3600 == 0 else _count(period_s / 60, "minute")


def _count(number: float, thing: str) -> str:
    return f"{number:g} {thing}" if number == 1 else f"{number:g} {thing.replace(' or ', 's or ')}s"


def _consent_text(rule: ConsentRule) -> str:
    age = "" if rule.max_age_s is None else f", at most {rule.max_age_s / 86400:g} days old"
    return f"{_kind(rule.needs)}{', recorded with proof' if rule.proof else ''}{age}"


def _kind(consent: str) -> str:
    return consent.replace("_", " ")


def _dates(rule: Rule) -> str:
    parts = []
    if rule.from_day is not None and rule.from_day > date(1970, 1, 1).toordinal():
        parts.append(f"from {date.fromordinal(rule.from_day)}")
    if rule.until_day is not None:
        parts.append(f"until {date.fromordinal(rule.until_day)}")
    return f" ({', '.join(parts)})" if parts else ""


def _places(pack: RulePack) -> str:
    if not pack.jurisdictions:
        return "every country without a pack of its own"
    return "everywhere" if EVERYWHERE in pack.jurisdictions else ", ".join(pack.jurisdictions)


def _holidays_text(pack: RulePack) -> str:
    source = pack.holidays
    assert source is not None
    parts = [f"Holidays: those of {source.country}"]
    if source.subdivisions_if_unknown:
        unknown = ", ".join("all its parts" if part == "*" else part for part in source.subdivisions_if_unknown)
        parts.append(f"where the part of the country is not known also those of {unknown}")
    if source.half_days:
        parts.append("half days too")
    for what, days in (("also", source.add), ("not", source.remove)):
        if days:
            parts.append(f"{what} {', '.join(f'`{day}`' for day in days)}")
    return "; ".join(parts) + "."


def _opt_out_lines(pack: RulePack) -> list[str]:
    terms = pack.opt_out
    words = ", ".join(terms.words)
    lines = [f"Opt-out: {terms.honour or 'at once'}. Words: {words}. {terms.source or 'no source'} [{terms.mark}].", ""]
    return lines + [f"- `{language}`: {sentence}" for language, sentence in sorted(terms.wording.items())]


def _days_text(days: frozenset[int]) -> str:
    if len(days) == len(DAYS):
        return "daily"
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs)


def _time(second: int) -> str:
    hour, minute = divmod(second % (DAY_S + 1) // 60, 60)
    return f"{hour:02}:{minute:02}"


def _joined(texts: Iterable[str]) -> str:
    return "; and ".join(dict.fromkeys(texts)) or _NONE


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def main() -> None:
    """Write the page to the file named on the command line."""
    Path(sys.argv[1]).write_text(render(built_in_packs()), encoding="utf-8")


if __name__ == "__main__":
    main()
