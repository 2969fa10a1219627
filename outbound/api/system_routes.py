"""``/v1/systems``: the business's own systems that call flows ask, and trying one; it keeps no answer."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from sqlalchemy import Connection

from campaigns.flow.effects import Request
from outbound.api.calls import Call
from outbound.api.given import wrong
from outbound.api.models import ListQuery, Page
from outbound.api.paging import cursor_of, cut
from outbound.api.routes import Answer, Routes
from outbound.api.system_models import SystemCreated, SystemIn, SystemOut, TrialIn, TrialOut
from outbound.api.views import Row, at
from outbound.api.webhook_models import SecretRotation
from outbound.ids import new_id
from outbound.store import systems
from outbound.systems.asking import asking
from outbound.webhooks import signing
from outbound.webhooks.targets import PrivateTargets, TargetRefused, examine

routes = Routes("systems")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@routes.add(
    "PUT", "/v1/systems/{name}", "Tell where a system is", answers={200: SystemCreated, 201: SystemCreated}, status=200
)
async def put_system(call: Call, name: str, body: SystemIn) -> Answer[SystemCreated]:
    """Under the name that call flows call it; the secret that signs is in the answer to the first PUT alone."""
    if not NAME.fullmatch(name):
        raise wrong("name", "bad_name", f"{name[:64]!r} is no name of a system; use a-z, 0-9 and _")
    private = await _examined(call, body.url)

    def unit(connection: Connection) -> Answer[SystemCreated]:
        values: dict[str, Any] = body.model_dump() | {"private_allowed": private}
        secret = None
        if systems.missing(connection, [name]):
            secret = signing.new_secret()
            values["secrets"] = signing.first(secret)
        systems.put(connection, name, values, now=call.now)
        shown = _system(systems.get(connection, name), call.now).model_dump()
        status = 201 if secret else 200
        headers = {"Location": f"/v1/systems/{name}"}
        created = SystemCreated(**shown, secret=secret)
        return Answer(body=created, status=status, repeated=SystemCreated(**shown), headers=headers)

    return await call.commit(unit)


@routes.add("GET", "/v1/systems", "List systems")
async def list_systems(call: Call, query: ListQuery) -> Page[SystemOut]:
    """By name."""
    after = cursor_of(query)

    def unit(connection: Connection) -> Page[SystemOut]:
        rows = systems.page(connection, after=after, limit=query.limit + 1)
        return cut(rows, query, lambda row: _system(row, call.now), key="name")

    return await call.read(unit)


@routes.add("GET", "/v1/systems/{name}", "Show a system")
async def get_system(call: Call, name: str) -> SystemOut:
    """Without its secret."""
    return await call.read(lambda connection: _system(systems.get(connection, name), call.now))


@routes.add("DELETE", "/v1/systems/{name}", "Delete a system", status=204)
async def delete_system(call: Call, name: str) -> Answer[None]:
    """With its secrets; calls whose flow still asks it go ``otherwise``."""

    def unit(connection: Connection) -> Answer[None]:
        systems.remove(connection, name)
        return Answer(body=None)

    return await call.commit(unit)


@routes.add("POST", "/v1/systems/{name}/rotate", "Turn a system's secret over")
async def rotate_system_secret(call: Call, name: str, body: SecretRotation) -> Answer[SystemCreated]:
    """The new secret is in this answer alone; the old one signs beside it for as long as ``overlap_s`` says."""

    def unit(connection: Connection) -> Answer[SystemCreated]:
        kept = systems.get(connection, name, to_change=True)["secrets"]
        secret = signing.new_secret()
        secrets = signing.rotated(kept, secret, now=call.now, overlap_s=body.overlap_s)
        systems.put(connection, name, {"secrets": secrets}, now=call.now)
        shown = _system(systems.get(connection, name), call.now).model_dump()
        return Answer(body=SystemCreated(**shown, secret=secret), repeated=SystemCreated(**shown))

    return await call.commit(unit)


@routes.add("POST", "/v1/systems/{name}/try", "Try a system")
async def try_system(call: Call, name: str, body: TrialIn) -> TrialOut:
    """Asks it as a call would, once more at every request; the question says ``"trial": true``. Nobody is called."""
    row = await call.read(lambda connection: systems.get(connection, name))
    request = Request(
        system=name, operation=body.operation, values=body.values, deadline_s=body.deadline_s, key="trial"
    )
    begun = asyncio.get_running_loop().time()
    async with asking(call.services) as asker:
        replied = await asker.try_out(row, f"trial-{new_id(call.now)}", request)
    took_s = round(asyncio.get_running_loop().time() - begun, 3)
    return TrialOut(result=replied.result, values=dict(replied.values), problem=replied.problem, took_s=took_s)


async def _examined(call: Call, url: str) -> bool:
    """Whether a URL leads to a private address that the operator allows. Raises :class:`InvalidFields`."""
    try:
        return await examine(url, PrivateTargets.read(call.services.settings.webhook_private_targets))
    except TargetRefused as error:
        raise wrong("url", error.code, error.detail) from error


def _system(row: Row, now: float) -> SystemOut:
    return SystemOut(
        **{name: row[name] for name in ("name", "url", "description", "private_allowed")},
        secrets=len(signing.in_force(row["secrets"], now=now)),
        created_at=at(row["created_at"]),
    )
