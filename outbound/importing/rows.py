"""Checks one contact against its campaign: number, place, language, variables; it reads no files and stores nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from campaigns.flow.variables import Variable, check_values
from outbound.api.faults import field_errors, nearest
from outbound.api.models import ContactIn
from outbound.importing.cells import CellRefused, clean
from outbound.importing.columns import Wanted
from outbound.importing.numbers import NumberRefused, Telephone, resolve, same_mobile
from outbound.places import ZoneRefused
from outbound.store.contacts import Alternate, NewContact
from outbound.store.imports import Rejected

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
"""What ``repr`` makes of a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRules:
    """What a campaign asks of its contacts."""

    default_region: str | None
    languages: Collection[str]
    """Languages the call flow speaks."""
    declared: Mapping[str, Variable]
    """Variables the call flow has a use for."""
    given: Mapping[str, str]
    """Values that the campaign gives for everybody."""

    @property
    def required(self) -> set[str]:
        """Variables that every contact must bring."""
        needed = {name for name, variable in self.declared.items() if variable.default is None}
        return needed - {name for name, value in self.given.items() if value.strip()}

    @property
    def required_of_all(self) -> set[str]:
        """Variables that a contact without them is refused for, whatever the campaign gives in their stead."""
        return {name for name, variable in self.declared.items() if variable.default is None and name not in self.given}

    def wanted(self, ignored: Collection[str]) -> Wanted:
        """What this means for the columns of a file."""
        return Wanted(known=sorted(self.declared), required=self.required, ignored=ignored)

    def check(self, row: int, fields: Mapping[str, object]) -> NewContact | Rejected:
        """Make a contact of ``fields`` (those of ``ContactIn``), or say what is wrong with it first."""
        try:
            contact = ContactIn.model_validate(fields)
        except ValidationError as error:
            fault = field_errors(error, ContactIn)[0]
            return Rejected(row=row, field=fault.field, code=fault.code, reason=fault.reason)
        return self.check_contact(row, contact)

    def check_contact(self, row: int, contact: ContactIn) -> NewContact | Rejected:
        """Check what a shape alone cannot tell."""
        field = "number"
        try:
            found = self._resolve(contact.number, contact)
            alternates = self._alternates(contact, found)
            field = "name"
            name = clean(contact.name)
            field = "ref"
            ref = clean(contact.ref)
            variables: dict[str, str] = {}
            for key, value in contact.variables.items():
                field = f"variables.{key}"
                variables[key] = clean(value)
        except (NumberRefused, ZoneRefused) as error:
            return Rejected(row=row, field=error.field, code=error.code, reason=_unquoted(error.detail))
        except CellRefused as error:
            return Rejected(row=row, field=field, code=error.code, reason=str(error))
        fault = self._fault(row, contact.language, name, variables)
        return fault or NewContact(
            row=row,
            number=found.number,
            zones=found.zones,
            jurisdictions=found.jurisdictions,
            alternates=alternates,
            ref=ref,
            name=name,
            language=contact.language,
            consent=contact.consent,
            variables=variables,
        )

    def _alternates(self, contact: ContactIn, main: Telephone) -> tuple[Alternate, ...]:
        """The customer's other numbers, each once. Raises :class:`NumberRefused` that names the column."""
        seen, others = set(same_mobile(main.number)), []
        for field in ("number_2", "number_3"):
            written = getattr(contact, field)
            if not written:
                continue
            try:
                found = self._resolve(written, contact)
            except NumberRefused as error:
                error.field = field
                raise
            if found.number not in seen:
                seen.update(same_mobile(found.number))
                others.append(
                    Alternate(number=found.number, zones=list(found.zones), jurisdictions=list(found.jurisdictions))
                )
        return tuple(others)

    def _resolve(self, number: str, contact: ContactIn) -> Telephone:
        return resolve(
            number,
            default_region=self.default_region,
            zone=contact.zone,
            country=contact.country,
            region=contact.region,
            postcode=contact.postcode,
        )

    def _fault(self, row: int, language: str, name: str, variables: dict[str, str]) -> Rejected | None:
        if language and language not in self.languages:
            reason = f"the call flow does not speak {language!r}; it speaks {', '.join(sorted(self.languages))}"
            return Rejected(row=row, field="language", code="language_unknown", reason=reason)
        for key in variables:
            if key not in self.declared:
                reason = f"the call flow has no variable {key!r}; {nearest(key, list(self.declared))}"
                return Rejected(row=row, field=f"variables.{key}", code="variable_unknown", reason=reason)
        return self._unfit(row, name, variables)

    def _unfit(self, row: int, name: str, variables: dict[str, str]) -> Rejected | None:
        """Find a value that is missing or that the flow cannot read (a date that is none, an amount without digits)."""
        values = {**self.given, **variables}
        if name:
            values.setdefault("customer_name", name)
        for key, variable in self.declared.items():
            if key in variables or key not in self.given:
                for finding in check_values({key: variable}, values, file=""):
                    reason = f"{finding.message} {finding.remedy}"
                    return Rejected(row=row, field=f"variables.{key}", code=finding.code, reason=reason)
        return None


def _unquoted(reason: str) -> str:
    """Leave out the cell that a refusal quotes, always first: what is kept of a row must not outlive an erasure."""
    return _QUOTED.sub("'…'", reason, count=1)
