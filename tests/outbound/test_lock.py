"""A dialer's name belongs to one dialer of a database, on whatever machine."""

from __future__ import annotations

import pytest

from outbound.errors import ConfigurationError, Unavailable
from outbound.lock import NameLock

pytestmark = pytest.mark.integration


def test_a_name_belongs_to_one_dialer_until_it_is_gone(postgres_url: str) -> None:
    first, second, other = NameLock(postgres_url, "north"), NameLock(postgres_url, "north"), NameLock(postgres_url, "")
    first.acquire()
    other.acquire()
    with pytest.raises(ConfigurationError, match=r"named north runs already.*--name"):
        second.acquire()
    first.release()
    again = NameLock(postgres_url, "north")
    again.acquire()
    for lock in (again, other):
        lock.release()


def test_a_database_that_is_not_there_is_named() -> None:
    with pytest.raises(Unavailable, match="check database_url"):
        NameLock("postgresql+psycopg://nobody@/nothing?host=/nonexistent", "north").acquire()
