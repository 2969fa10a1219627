"""Reads a rule pack, the whole of it in one place, from TOML or from the same keys as JSON; it decides nothing.

Every fault is an error naming file, key and remedy. An unknown key is a fault too: a misspelt rule must not be a rule
that is not there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

from campaigns.dispositions import Disposition
from campaigns.rules.calendar import days_in
from campaigns.rules.model import (
    CHANNELS,
    CONSENT_RANK,
    MARKS,
    PURPOSES,
    AbandonmentLimit,
    Ban,
    Cap,
    ConsentRule,
    Disclosure,
    Guard,
    HolidaySource,
    Hours,
    OptOutTerms,
    RecordingRule,
    RefusalBar,
    Register,
    Rule,
    RulePack,
    RulesError,
)
from campaigns.rules.pack_table import PackTable
from campaigns.rules.windows import DAY_S, KINDS, WHOLE_DAY, Window, intersect, parse_windows

R = TypeVar("R", bound=Rule)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?|\*")
_ROLLING = re.compile(r"(\d+(?:\.\d+)?) (minute|hour|day)s?")
_CALENDAR = re.compile(r"(\d+) calendar days?")
_UNIT_S = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_LONGEST_S = 366 * 86400
_MEASURED_S = 30 * 86400
"""So far back it is known who answered and was abandoned."""
_PERIODS = "'24 hours', '30 calendar days', 'calendar week' or 'calendar month'"
_SOME_CONSENT = tuple(kind for kind, rank in CONSENT_RANK.items() if rank)
OUTCOMES = ("answered", "unanswered", *Disposition)
"""What a cap may count."""
RECORDING_NEEDS = ("notice", "consent", "never")
"""From the mildest to the strictest."""
_NAMED = re.compile(r"\{\{\s*(\w+)[^}]*\}\}")
MAY_NAME = frozenset({"business", "key_opt_out", "key_agent"})
"""What every call flow can say."""
WHENS = ("start", "end", "voicemail", "message", "on_request")


def parse_pack(text: str, *, file: str) -> RulePack:
    """Read a pack as it stands in a file. Raises :class:`RulesError` naming the file and the key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{file}: {error}; correct the TOML there") from error
    return read_pack(data, file=file)


def read_pack(data: Mapping[str, Any], *, file: str) -> RulePack:
    """Read a pack from its keys. Raises :class:`RulesError` naming the key and the remedy."""
    top = PackTable(data, file, "")
    name = top.text("name")
    if not _NAME.fullmatch(name):
        top.wrong("name", f"is {name!r}", "use a-z, 0-9, - and _, 40 at most")
    version = top.text("version")
    made = _Maker(f"{name}@{version}", effective_from := top.day("effective_from"))
    jurisdictions = top.words("jurisdictions", required=True)
    for code in jurisdictions:
        if not _JURISDICTION.fullmatch(code):
            top.wrong("jurisdictions", f"has {code!r}", "write ISO 3166 codes such as FR or US-FL")
    pack = RulePack(
        name=name,
        title=top.text("title"),
        version=version,
        effective_from=effective_from,
        jurisdictions=jurisdictions,
        holidays=_holidays(top),
        hours=tuple(made.hours(table) for table in top.tables("hours")),
        caps=tuple(made.cap(table) for table in top.tables("caps")),
        consents=tuple(made.consent(table) for table in top.tables("consents")),
        bans=tuple(made.ban(table) for table in top.tables("bans")),
        refusals=tuple(made.refusal(table) for table in top.tables("refusals")),
        registers=tuple(made.register(table) for table in top.tables("registers")),
        guards=tuple(made.guard(table) for table in top.tables("guards")),
        abandonment=tuple(made.abandonment(table) for table in top.tables("abandonment")),
        disclosures=tuple(made.disclosure(table) for table in top.tables("disclosures")),
        recordings=tuple(made.recording(table) for table in top.tables("recordings")),
        opt_out=_opt_out(top),
        notes=top.words("notes"),
    )
    top.done()
    _check_whole(pack, top)
    return pack


def parse_period(text: str) -> dict[str, Any]:
    """Read ``24 hours``, ``30 calendar days``, ``calendar week`` as the fields of a cap. Raises ``ValueError``."""
    period: dict[str, Any] = {}
    if found := _ROLLING.fullmatch(text):
        period["period_s"] = float(found[1]) * _UNIT_S[found[2]]
    elif found := _CALENDAR.fullmatch(text):
        period["calendar_days"] = int(found[1])
    elif text in ("calendar week", "calendar month"):
        period["calendar_unit"] = text.split()[1]
    if not period or 0 in period.values():
        raise ValueError(f"{text!r} is no period; write {_PERIODS}")
    if period.get("period_s", 0) > _LONGEST_S or period.get("calendar_days", 0) > _LONGEST_S / 86400:
        raise ValueError(f"{text!r} is longer than a year, and so far back nothing is looked at")
    return period


class _Maker:
    """Makes the rules of one pack."""

    def __init__(self, pack_id: str, effective_from: date) -> None:
        self._pack_id, self._effective_from = pack_id, effective_from
        self._ids: set[str] = set()

    def hours(self, table: PackTable) -> Hours:
        base = self._base(table)
        closed_on = table.some_of("closed_on", KINDS, required=False)
        windows: list[Window] = []
        for text in table.words("windows", required=True):
            try:
                windows += parse_windows(text)
            except ValueError as error:
                table.wrong("windows", f"cannot be read: {error}", "correct it")
        if not any(window.days for window in windows):
            table.wrong("windows", "opens no weekday", "add windows, or write a ban")
        for kind in closed_on & {window.special for window in windows}:
            table.wrong("windows", f"has hours for {kind}, which closed_on closes", "remove one of them")
        return _close(table, Hours(**base, windows=tuple(windows), closed_on=closed_on))

    def cap(self, table: PackTable) -> Cap:
        cap = Cap(
            **self._base(table),
            **_period(table),
            attempts=table.whole("attempts", least=1, most=10_000),
            scope=table.one_of("scope", ("number", "campaign"), "number"),
            outcomes=table.some_of("outcomes", OUTCOMES, required=False),
            unless_consent=table.one_of("unless_consent", _SOME_CONSENT, ""),
        )
        return _close(table, cap)

    def consent(self, table: PackTable) -> ConsentRule:
        base = self._base(table)
        days = table.number("max_age_days", least=1, most=36_500, required=False)
        needs = table.one_of("needs", CONSENT_RANK)
        rule = ConsentRule(
            **base, needs=needs, max_age_s=None if days is None else days * 86400, proof=table.flag("proof")
        )
        return _close(table, rule)

    def ban(self, table: PackTable) -> Ban:
        return _close(table, Ban(**self._base(table), reason=table.text("reason")))

    def refusal(self, table: PackTable) -> RefusalBar:
        base = self._base(table)
        value = table.take("days")
        if value == "ever":
            return _close(table, RefusalBar(**base, days=None))
        return _close(table, RefusalBar(**base, days=table.whole("days", least=1, most=36_500)))

    def register(self, table: PackTable) -> Register:
        base = self._base(table)
        days = table.number("max_age_days", least=1, most=366) or 1.0
        rule = Register(
            **base,
            register=table.text("register"),
            max_age_s=days * 86400,
            lifted_by=table.one_of("lifted_by", _SOME_CONSENT, ""),
        )
        return _close(table, rule)

    def guard(self, table: PackTable) -> Guard:
        base = self._base(table)
        return _close(table, Guard(**base, closing_s=table.number("closing_s", least=0, most=7200) or 0.0))

    def abandonment(self, table: PackTable) -> AbandonmentLimit:
        base, period_s = self._base(table), _period(table).get("period_s", 0.0)
        if base["channels"] != {"voice"}:
            table.wrong("channels", "has more than calls", 'write ["voice"]: nothing else can be abandoned')
        if not DAY_S <= period_s <= _MEASURED_S:
            remedy = "give a rolling period from '24 hours' to '30 days': answers are counted by the day"
            table.wrong("per", f"is {table.text('per')!r}", remedy)
        share = table.number("share", least=0, most=1) or 0.0
        return _close(table, AbandonmentLimit(**base, share=share, period_s=period_s))

    def disclosure(self, table: PackTable) -> Disclosure:
        base = self._base(table)
        rule = Disclosure(
            **base,
            when=table.one_of("when", WHENS),
            text=table.text("text"),
            within_s=table.number("within_s", least=0, most=600, required=False),
            say=_sentences(table),
        )
        return _close(table, rule)

    def recording(self, table: PackTable) -> RecordingRule:
        base = self._base(table)
        rule = RecordingRule(**base, needs=table.one_of("needs", RECORDING_NEEDS), say=_sentences(table))
        if rule.needs != "never" and not rule.say:
            table.wrong("say", "is missing", 'write the notice, for example { en = "This call is recorded." }')
        return _close(table, rule)

    def _base(self, table: PackTable) -> dict[str, Any]:
        """What every rule has; its own dates, else those of the pack."""
        name = table.text("id")
        if not _NAME.fullmatch(name) or name in self._ids:
            what = f"is {name!r}" + (", which another rule of the pack has" if name in self._ids else "")
            table.wrong("id", what, "give each rule a name of its own, of a-z, 0-9, - and _")
        self._ids.add(name)
        begins, ends = table.maybe_day("from") or self._effective_from, table.maybe_day("until")
        if ends is not None and ends <= begins:
            table.wrong("until", f"is not after {begins}", "give the first day on which the rule holds no more")
        return {
            "cite": f"{self._pack_id}#{name}",
            "source": table.text("source"),
            "mark": table.one_of("mark", MARKS),
            "purposes": table.some_of("purposes", PURPOSES),
            "channels": table.some_of("channels", CHANNELS),
            "from_day": begins.toordinal(),
            "until_day": None if ends is None else ends.toordinal(),
        }


def _period(table: PackTable) -> dict[str, Any]:
    """The period at ``per``, as the fields of a cap."""
    try:
        return parse_period(table.text("per"))
    except ValueError as error:
        table.wrong("per", f"cannot be read: {error}", "correct it")


def _close(table: PackTable, rule: R) -> R:
    table.done()
    return rule


def _holidays(top: PackTable) -> HolidaySource | None:
    table = top.table("holidays")
    if table is None:
        return None
    found = HolidaySource(
        country=table.text("country"),
        subdivisions_if_unknown=table.words("subdivisions_if_unknown"),
        half_days=table.flag("half_days"),
        add=table.words("add"),
        remove=table.words("remove"),
    )
    for key, days in (("add", found.add), ("remove", found.remove)):
        for day in days:
            try:
                days_in(day, 2024)
            except ValueError as error:
                table.wrong(key, f"cannot be read: {error}", "correct it")
    table.done()
    return found


def _opt_out(top: PackTable) -> OptOutTerms:
    table = top.table("opt_out")
    if table is None:
        return OptOutTerms()
    found = OptOutTerms(
        honour=table.text("honour", ""),
        words=table.words("words"),
        wording=table.texts("wording"),
        source=table.text("source", ""),
        mark=table.one_of("mark", MARKS, "H"),
    )
    table.done()
    return found


def _check_whole(pack: RulePack, top: PackTable) -> None:
    """What one key alone cannot show."""
    for number, hours in enumerate(pack.hours):
        kinds = hours.closed_on | {window.special for window in hours.windows if window.special in KINDS}
        if kinds and pack.holidays is None:
            top.wrong(f"hours[{number}]", "speaks of holidays", "add [holidays] with the country")
        if pack.holidays is not None and pack.holidays.half_days and "holiday" in kinds and "half_day" not in kinds:
            remedy = "add a half_day window, or half_day to closed_on"
            top.wrong(f"hours[{number}]", "says nothing of half days, which [holidays] has", remedy)
    for purpose in PURPOSES:
        for channel in CHANNELS:
            _check_some_time(pack, top, purpose, channel)


def _check_some_time(pack: RulePack, top: PackTable, purpose: str, channel: str) -> None:
    """Windows that leave nothing open in any week contradict each other: what is meant so is written as a ban."""
    rules = [rule for rule in pack.hours if rule.covers(purpose, channel)]
    days = {rule.from_day for rule in rules if rule.from_day is not None}
    for start in sorted(days):
        held = [rule for rule in rules if rule.holds_on(start)]
        if held and not _opens(held, date.fromordinal(start)):
            cites = " and ".join(rule.cite.partition("#")[2] for rule in held)
            what = f"of {cites} leave no hour open for {purpose} by {channel}"
            top.wrong("hours", what, "correct the windows, or write a ban")


def _opens(rules: list[Hours], start: date) -> bool:
    for ahead in range(7):
        left = WHOLE_DAY
        for rule in rules:
            day = (start + timedelta(days=ahead)).toordinal()
            weekly = tuple(window for window in rule.windows if not window.special)
            plain = replace(rule, closed_on=frozenset(), windows=weekly, from_day=None, until_day=None)
            left = intersect(left, plain.open_on(day))
        if left:
            return True
    return False


def _sentences(table: PackTable) -> dict[str, str]:
    """Sentences by language, which may name only what every call flow knows."""
    says = table.texts("say")
    for text in says.values():
        if unknown := set(_NAMED.findall(text)) - MAY_NAME:
            table.wrong("say", f"names {{{{{min(unknown)}}}}}", f"only {', '.join(sorted(MAY_NAME))} may be named")
    return says
