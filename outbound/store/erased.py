"""How the numbers of erased people are still recognised: each has a token that only this house's secret can make.

It erases nothing (outbound/erasing/erasure.py does) and never leads from a token back to a number.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets as random
from collections.abc import Collection

from sqlalchemy import Connection, select

from outbound.importing.numbers import same_mobile
from outbound.store.inserting import insert_or_skip
from outbound.store.schema import secrets

NAME = "erased_numbers"
MARK = "~"
"""Begins every token and no number."""
_TOKEN = re.compile(r"~[A-Z2-7]{15}")
_KEY = select(secrets.c.value).where(secrets.c.name == NAME)
_DIGEST_BYTES = 10
"""80 bits, of which 15 characters of base 32 show 75: two people never share a token."""


def is_token(text: str) -> bool:
    """Whether ``text`` stands for an erased number."""
    return _TOKEN.fullmatch(text) is not None


def token_of(connection: Connection, number: str) -> str:
    """Return the token of an E.164 number; the first call ever makes the secret, so it needs a writing connection."""
    if is_token(number):
        return number
    key = _secret(connection)
    if key is None:
        row = {"name": NAME, "value": random.token_bytes(32)}
        connection.execute(insert_or_skip(connection, secrets), row)
        key = _secret(connection)
        assert key is not None
    return _token(key, number)


def names_of(connection: Connection, number: str) -> tuple[str, ...]:
    """Return every name a number goes by in the tables: itself, other numbers of the same telephone, their tokens.

    There are tokens only if anybody was ever erased here.
    """
    if is_token(number):
        return (number,)
    numbers = same_mobile(number)
    return (*numbers, *tokens_of(connection, numbers).values())


def tokens_of(connection: Connection, numbers: Collection[str]) -> dict[str, str]:
    """Return the tokens of many numbers; empty as long as nobody was ever erased here. It writes nothing."""
    # read each time: a secret kept in memory would outlive the rollback of the unit that made it
    key = _secret(connection)
    if key is None:
        return {}
    return {number: number if is_token(number) else _token(key, number) for number in numbers}


def _secret(connection: Connection) -> bytes | None:
    return connection.execute(_KEY).scalar()


def _token(key: bytes, number: str) -> str:
    digest = hmac.digest(key, number.encode(), "sha256")[:_DIGEST_BYTES]
    return MARK + base64.b32encode(digest).decode()[:15]
