"""The library of call flows: the built-in ones and the operator's own, checked before anybody hears them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from campaigns.flow.document import Flow, FlowError, parse_flow
from campaigns.flow.findings import Finding, Severity
from campaigns.flow.lint import lint
from outbound.errors import ConfigurationError, Conflict, Invalid, NotFound
from outbound.store import Store
from outbound.store.schema import callflows
from outbound.yaml_files import YamlError, load_yaml, parse_yaml

Document = dict[str, Any]


class CallflowInvalid(Invalid):
    """The call flow must not be used; ``findings`` says all that is wrong."""

    code = "callflow_invalid"

    def __init__(self, findings: Sequence[Finding]) -> None:
        worst = [finding for finding in findings if finding.severity is Severity.ERROR]
        more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
        super().__init__(f"{worst[0]}{more}", members={"findings": [asdict(finding) for finding in findings]})


class CallflowLibrary:
    """Call flows by name; an operator's flow never hides a built-in one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.built_in = _built_in()

    async def get(self, name: str) -> Document:
        """Return the document of a flow. Raises :class:`NotFound` naming those there are."""
        return await self._store.read(lambda connection: self.document(connection, name))

    def document(self, connection: Connection, name: str) -> Document:
        """Like :meth:`get`, within a unit of work."""
        if name in self.built_in:
            return self.built_in[name]
        document: Document | None = connection.execute(
            select(callflows.c.document).where(callflows.c.name == name)
        ).scalar()
        if document is None:
            names = sorted([*self.built_in, *self.own(connection)])
            raise NotFound(f"there is no call flow {name!r}; there are {', '.join(names)}", code="callflow_not_found")
        return document

    def own(self, connection: Connection) -> dict[str, Document]:
        """The operator's own flows by name."""
        rows = connection.execute(select(callflows).order_by(callflows.c.name)).mappings()
        return {row["name"]: row["document"] for row in rows}

    def put(self, connection: Connection, name: str, document: Document, *, now: float) -> bool:
        """Store an operator's flow that was checked before; return whether it is new."""
        self._refuse_built_in(name)
        known = update(callflows).where(callflows.c.name == name).values(document=document)
        if connection.execute(known).rowcount:
            return False
        connection.execute(insert(callflows), {"name": name, "document": document, "created_at": now})
        return True

    def remove(self, connection: Connection, name: str) -> None:
        """Delete an operator's flow; campaigns keep the copy they were made with. Raises :class:`NotFound`."""
        self._refuse_built_in(name)
        if not connection.execute(delete(callflows).where(callflows.c.name == name)).rowcount:
            self.document(connection, name)

    def _refuse_built_in(self, name: str) -> None:
        if name in self.built_in:
            raise Conflict(f"{name!r} is built in and stays as it is; take another name", code="callflow_built_in")


def findings_of(document: Document, *, source: str) -> tuple[Finding, ...]:
    """Everything that is wrong with a flow, its shape first."""
    try:
        return _checked(json.dumps(document), source)[1]
    except FlowError as error:
        return error.findings


def checked_flow(document: Document, *, source: str) -> Flow:
    """Parse a flow that may be used. Raises :class:`CallflowInvalid` when the lint has an error."""
    findings = findings_of(document, source=source)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise CallflowInvalid(findings)
    return _checked(json.dumps(document), source)[0]


def read_flow(document: Document, *, source: str) -> Flow:
    """Parse a flow without asking whether it is good. Raises :class:`CallflowInvalid` for a broken shape."""
    try:
        return _checked(json.dumps(document), source)[0]
    except FlowError as error:
        raise CallflowInvalid(error.findings) from error


def lint_file(path: Path) -> tuple[Finding, ...]:
    """Everything that is wrong with a flow in a YAML file, unreadable YAML included."""
    try:
        return findings_of(load_yaml(path), source=path.name)
    except YamlError as error:
        remedy = "Correct the YAML there."
        return (Finding(file=path.name, step="", code=error.code, message=error.detail, remedy=remedy),)


@lru_cache(maxsize=64)
def _checked(document: str, source: str) -> tuple[Flow, tuple[Finding, ...]]:
    """Parse and lint; campaigns and notifications ask for the same few documents again and again."""
    flow = parse_flow(json.loads(document), source=source)
    return flow, lint(flow)


def with_faq(document: Document, faq: Mapping[str, Any]) -> Document:
    """A flow that answers these questions besides its own; one of the same name is answered as said here."""
    return document | {"faq": {**document.get("faq", {}), **faq}} if faq else document


def _built_in() -> dict[str, Document]:
    found: dict[str, Document] = {}
    for entry in sorted(files("campaigns").joinpath("callflows").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            try:
                found[entry.name.removesuffix(".yaml")] = parse_yaml(
                    entry.read_text(encoding="utf-8"), source=entry.name
                )
            except YamlError as error:
                raise ConfigurationError(f"a built-in call flow cannot be read: {error.detail}") from error
    return found
