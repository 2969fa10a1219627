"""Which packs apply to a contact; several may, and then all of them must allow what is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TypeVar

from campaigns.rules.model import EVERYWHERE, Rule, RulePack, RulesError
from campaigns.rules.reading import parse_pack

R = TypeVar("R", bound=Rule)


@cache
def built_in_packs() -> tuple[RulePack, ...]:
    """Every pack of this package, by name. Raises :class:`RulesError` when one of them cannot be used."""
    folder = files("campaigns.rules")
    names = sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))
    packs = tuple(parse_pack((folder / f"{name}.toml").read_text("utf-8"), file=f"{name}.toml") for name in names)
    for pack, name in zip(packs, names, strict=True):
        if pack.name != name:
            raise RulesError(f"{name}.toml: name is {pack.name!r}; make it {name!r}, as the file is called")
    return packs


def load_pack(name: str) -> RulePack:
    """A pack of this package by name. Raises :class:`RulesError` that lists the known ones."""
    for pack in built_in_packs():
        if pack.name == name:
            return pack
    known = ", ".join(pack.name for pack in built_in_packs())
    raise RulesError(f"there is no rule pack {name!r}; known are {known}")


def merge(packs: Iterable[RulePack], newer: Iterable[RulePack]) -> tuple[RulePack, ...]:
    """``packs`` with ``newer`` ones of the same name in their place from the day on which these begin; by name.

    Until then the older one still holds: a pack that is put in force today for next year takes nothing away today. So
    a name may stand there twice, its newest version last.
    """
    found: dict[str, list[RulePack]] = {}
    for pack in packs:
        found.setdefault(pack.name, []).append(pack)
    for pack in newer:
        older = [_ended(one, pack.effective_from) for one in found.get(pack.name, ())]
        found[pack.name] = [*(one for one in older if one is not None), pack]
    return tuple(pack for name in sorted(found) for pack in found[name])


def _ended(pack: RulePack, day: date) -> RulePack | None:
    """A pack whose rules hold no more from ``day`` on; ``None`` when none ever did."""
    if pack.effective_from >= day:
        return None

    def until(rules: tuple[R, ...]) -> tuple[R, ...]:
        last = day.toordinal()
        held = (rule for rule in rules if rule.from_day is None or rule.from_day < last)
        return tuple(replace(rule, until_day=min(rule.until_day or last, last)) for rule in held)

    return replace(
        pack,
        hours=until(pack.hours),
        caps=until(pack.caps),
        consents=until(pack.consents),
        bans=until(pack.bans),
        refusals=until(pack.refusals),
        registers=until(pack.registers),
        guards=until(pack.guards),
        abandonment=until(pack.abandonment),
        disclosures=until(pack.disclosures),
        recordings=until(pack.recordings),
    )


def applicable(packs: Sequence[RulePack], jurisdictions: Collection[str]) -> tuple[RulePack, ...]:
    """The packs that apply to a contact who may be in any of ``jurisdictions`` (``US``, ``US-FL``).

    ``US-?`` is somewhere unknown in the United States: the packs of all its parts apply. Where a country has no pack of
    its own, or none is known, the default packs (those that name no jurisdiction) apply.
    """
    asked = {code.partition("-")[0] for code in jurisdictions} | set(jurisdictions)
    unknown = tuple(code[:-1] for code in jurisdictions if code.endswith("-?"))
    if unknown:
        asked |= {code for pack in packs for code in pack.jurisdictions if code.startswith(unknown)}
    spoken_for = {code for pack in packs if pack.hours for code in pack.jurisdictions}
    countries = {code for code in asked if "-" not in code}
    lacking = not countries or bool(countries - spoken_for)
    return tuple(
        pack
        for pack in packs
        if (EVERYWHERE in pack.jurisdictions)
        or (not pack.jurisdictions and lacking)
        or not asked.isdisjoint(pack.jurisdictions)
    )
