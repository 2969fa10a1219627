"""``/v1/rules``: the rule packs in force; the operator's own are put in force and withdrawn here."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping

from campaigns.flow.findings import Severity
from campaigns.rules import RulePack, RulesError, applicable, built_in_packs
from campaigns.rules.lint import lint, rules_of
from campaigns.rules.model import EVERYWHERE
from campaigns.rules.succession import losses
from outbound.api import views
from outbound.api.calls import Call
from outbound.api.gate_models import PutRulesQuery, RuleCited, RulePackIn, RulePackOut, RulePacks, RulesQuery
from outbound.api.models import FieldError
from outbound.api.problems import InvalidFields
from outbound.api.routes import Answer, Routes
from outbound.errors import Conflict, Invalid, NotFound
from outbound.gatehouse.dry_run import packs_of
from outbound.gatehouse.rulebook import check_holidays, readable
from outbound.importing.numbers import NumberRefused, e164
from outbound.places import is_place, jurisdictions_of
from outbound.store import events, rulepacks

log = structlog.get_logger(__name__)
routes = Routes("rules")


@routes.add("GET", "/v1/rules", "List the rule packs in force")
async def list_rules(call: Call, query: RulesQuery) -> RulePacks:
    """All of them, or those that apply to a number or a jurisdiction (``FR``, ``US-FL``)."""
    where = _jurisdictions(query)

    def unit(connection: Connection) -> RulePacks:
        packs, own = _in_force(connection), rulepacks.newest(connection)
        chosen = packs if where is None else applicable(packs, where)
        return RulePacks(items=[_shown(pack, own) for pack in chosen])

    return await call.read(unit)


@routes.add("GET", "/v1/rules/{name}", "Show a rule pack")
async def get_rules(call: Call, name: str) -> RulePackOut:
    """With every rule, its source and how sure it is."""
    return await call.read(lambda connection: _show(connection, name))


@routes.add("PUT", "/v1/rules/{name}", "Put a rule pack in force")
async def put_rules(call: Call, name: str, body: RulePackIn, query: PutRulesQuery) -> Answer[RulePackOut]:
    """In the place of the pack of this name, a built-in one too, from its ``effective_from`` on; until then the older
    one holds. Every decision after the answer counts it.

    A pack that lacks places or kinds of rule which the older one has is refused, unless ``loosen=true`` says that it is
    meant. Try it out first: ``/v1/decisions`` takes it in ``rules``.
    """
    (pack,) = packs_of([body.pack], "pack")
    if pack.name != name:
        reason = f"its name is {pack.name!r} and the address says {name!r}; make them the same"
        raise InvalidFields([FieldError(field="pack.name", code="name_differs", reason=reason)])
    today = datetime.fromtimestamp(call.now, UTC).date()
    _check_places(pack)
    _check_holidays(pack, today.year)
    document = _document(body.pack)

    def unit(connection: Connection) -> Answer[RulePackOut]:
        events.take_turn(connection)
        found, broken = readable(connection)
        _lint(found.packs, pack, today.toordinal(), loosen=query.loosen)
        if name in broken:  # a version that nobody can read is not followed but replaced
            rulepacks.put(connection, name, None, version="", now=call.now)
        rulepacks.put(connection, name, document, version=pack.version, now=call.now)
        return Answer(body=_show(connection, name))

    return await call.commit(unit)


@routes.add("DELETE", "/v1/rules/{name}", "Withdraw a rule pack of your own")
async def withdraw_rules(call: Call, name: str) -> Answer[RulePacks]:
    """A built-in pack of the same name is in force again; the versions that were in force are kept."""

    def unit(connection: Connection) -> Answer[RulePacks]:
        events.take_turn(connection)
        known = rulepacks.newest(connection).get(name)
        if known is None or not known["document"]:
            if any(pack.name == name for pack in built_in_packs()):
                detail = f"{name!r} is built in; put a pack of this name in force to replace it"
                raise Conflict(detail, code="rules_built_in")
            raise _unknown(name, connection)
        rulepacks.put(connection, name, None, version=str(known["document"].get("version", "")), now=call.now)
        own = rulepacks.newest(connection)
        return Answer(body=RulePacks(items=[_shown(pack, own) for pack in _in_force(connection)]))

    return await call.commit(unit)


def _jurisdictions(query: RulesQuery) -> tuple[str, ...] | None:
    if query.number is not None:
        try:
            return jurisdictions_of(e164(query.number))
        except NumberRefused as error:
            raise InvalidFields([FieldError(field="number", code=error.code, reason=error.detail)]) from error
    return None if query.jurisdiction is None else (query.jurisdiction.upper(),)


def _in_force(connection: Connection) -> tuple[RulePack, ...]:
    found, broken = readable(connection)
    if broken:
        log.error("rule packs cannot be read, nobody is reached", packs=sorted(broken))
    return found.packs


def _show(connection: Connection, name: str) -> RulePackOut:
    found, broken = readable(connection)
    for pack in reversed(found.packs):
        if pack.name == name:
            return _shown(pack, rulepacks.newest(connection))
    if name in broken:
        raise Conflict(f"{broken[name]}; put a corrected pack in force, or withdraw it", code="rules_unreadable")
    raise _unknown(name, connection)


def _shown(pack: RulePack, own: dict[str, RowMapping]) -> RulePackOut:
    mine = own.get(pack.name)
    theirs = mine is not None and bool(mine["document"])
    return RulePackOut(
        name=pack.name,
        title=pack.title,
        version=pack.version,
        effective_from=pack.effective_from.isoformat(),
        jurisdictions=list(pack.jurisdictions),
        origin="operator" if theirs else "built-in",
        put_in_force_at=views.instant(mine["created_at"]) if mine is not None and theirs else None,
        warnings=[str(finding) for finding in lint([pack]) if finding.severity is Severity.WARNING],
        rules=[RuleCited(rule=rule.cite, source=rule.source, mark=rule.mark) for rule in rules_of(pack)],
    )


def _unknown(name: str, connection: Connection) -> NotFound:
    known = ", ".join(pack.name for pack in _in_force(connection))
    return NotFound(f"there is no rule pack {name!r}; there is {known}", code="rules_not_found")


def _lint(in_force: tuple[RulePack, ...], pack: RulePack, today: int, *, loosen: bool) -> None:
    """Refuse a pack that is wrong by itself, or takes something away without saying so."""
    newest = {one.name: one for one in in_force}
    older = newest.get(pack.name)
    found = lint(tuple((newest | {pack.name: pack}).values()))
    errors = [finding for finding in found if finding.severity is Severity.ERROR and finding.pack == pack.name]
    if errors:
        raise Invalid("; ".join(map(str, errors)), code="rules_invalid")
    lost = [] if older is None or loosen else list(losses(older, pack, today=today))
    if lost:
        raise Invalid("; ".join(map(str, lost)) + " (loosen=true)", code="rules_loosened")


def _check_places(pack: RulePack) -> None:
    """Refuse a code that names no place: a pack for it would protect nobody."""
    for code in pack.jurisdictions:
        if code != EVERYWHERE and not is_place(code):
            reason = f"there is no place {code!r}; write ISO 3166 codes such as FR or US-FL"
            raise InvalidFields([FieldError(field="pack.jurisdictions", code="place_unknown", reason=reason)])


def _check_holidays(pack: RulePack, year: int) -> None:
    try:
        check_holidays(pack, year=year)
    except RulesError as error:
        raise InvalidFields([FieldError(field="pack.holidays", code=error.code, reason=str(error))]) from error


def _document(given: dict[str, Any] | str) -> dict[str, Any]:
    """The pack's keys as JSON; dates as text."""
    if not isinstance(given, str):
        return given
    document: dict[str, Any] = _plain(tomllib.loads(given))
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else value.isoformat()
