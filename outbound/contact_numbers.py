"""A customer may have several numbers: the contact as it is when one of them is rung. Each has places of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

Contact = Mapping[str, Any] | RowMapping
PLACES = ("zones", "jurisdictions")


def numbers_of(contact: Contact) -> list[str]:
    """All numbers of a contact, the one to be called first."""
    return [contact["number"], *(other["number"] for other in contact["alternates"])]


def reached_at(contact: Contact, number: str) -> Contact:
    """The contact with ``number`` as the one to be called; its others become the alternates.

    The places of the main number count too: the customer may be at either, and all of them must allow the call.
    """
    if number == contact["number"]:
        return contact
    others = [each for each in contact["alternates"] if each["number"] != number]
    chosen: dict[str, Any] = next((each for each in contact["alternates"] if each["number"] == number), {})
    joined = {name: sorted({*contact[name], *chosen.get(name, ())}) for name in PLACES}
    main = {name: contact[name] for name in ("number", *PLACES)}
    return {**contact, **joined, "number": number, "alternates": [main, *others]}
