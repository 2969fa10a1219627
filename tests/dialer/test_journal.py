"""The journal of sends: durable before the INVITE, readable after any crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.journal import Entry, Journal, JournalError, What, parse_line, read_journals, read_sends

pytestmark = pytest.mark.integration

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def entry(call_id: str, what: What, disposition: str = "", at: datetime = NOON) -> Entry:
    return Entry(attempt_id=f"att-{call_id}", fence=1, call_id=call_id, at=at, what=what, disposition=disposition)


def journal(directory: Path, line: str = "line-1") -> Journal:
    return Journal(directory, line)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_an_entry_survives_its_line() -> None:
    written = entry("a@host", What.ENDED, Disposition.ACCEPTED)
    assert parse_line(written.line()) == written


def test_an_entry_says_whom_it_called_by_an_opaque_id() -> None:
    written = Entry(attempt_id="a", fence=1, call_id="c", at=NOON, what=What.SENDING, contact_id="01CONTACT")
    assert parse_line(written.line()) == written


def test_a_line_of_a_version_that_did_not_say_whom_it_called_is_read() -> None:
    line = b'{"attempt_id":"a","fence":1,"call_id":"c","at":"2026-03-02T12:00:00+00:00","what":"sending"}\n'
    assert parse_line(line) == Entry(attempt_id="a", fence=1, call_id="c", at=NOON, what=What.SENDING)


@pytest.mark.parametrize("line", [b"", b"{", b"null\n", b'{"attempt_id":"a"}\n', b"\xff\xfe\n", b'{"what":"lost"}'])
def test_a_foreign_line_is_nothing(line: bytes) -> None:
    assert parse_line(line) is None


async def test_the_last_state_of_each_call_is_found(tmp_path: Path) -> None:
    log = journal(tmp_path)
    for what in (What.SENDING, What.ANSWERED):
        await log.write(entry("a@host", what))
    await log.write(entry("b@host", What.SENDING))
    await log.write(entry("a@host", What.ENDED, Disposition.BUSY))
    found = await log.lookup(["a@host", "b@host", "never@host"])
    log.close()
    assert {call_id: one.what for call_id, one in found.items()} == {"a@host": What.ENDED, "b@host": What.SENDING}
    assert found["a@host"].disposition == Disposition.BUSY


async def test_what_is_written_is_readable_by_another_process_at_once(tmp_path: Path) -> None:
    first, second = journal(tmp_path, "line-1"), journal(tmp_path, "line-2")
    await first.write(entry("a@host", What.SENDING))
    await second.write(entry("b@host", What.SENDING))
    assert set(read_journals(tmp_path, ["a@host", "b@host", "c@host"])) == {"a@host", "b@host"}
    first.close()
    second.close()


async def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    log = journal(tmp_path)
    await log.write(entry("a@host", What.SENDING))
    log.close()
    path = tmp_path / "line-1.20260302.0.jsonl"
    torn = entry("torn@host", What.SENDING).line()[:25]
    with path.open("ab") as file:
        file.write(torn)
    again = journal(tmp_path)
    await again.write(entry("b@host", What.SENDING))
    again.close()
    assert set(read_journals(tmp_path, ["a@host", "b@host", "torn@host"])) == {"a@host", "b@host"}


async def test_a_new_file_begins_each_day_and_at_its_size(tmp_path: Path) -> None:
    log = Journal(tmp_path, "line-1", max_bytes=200)
    for call_id in ("a@host", "b@host", "c@host"):
        await log.write(entry(call_id, What.SENDING))
    await log.write(entry("a@host", What.ENDED, at=NOON + timedelta(days=1)))
    log.close()
    assert names(tmp_path) == ["line-1.20260302.0.jsonl", "line-1.20260302.1.jsonl", "line-1.20260303.0.jsonl"]
    found = read_journals(tmp_path, ["a@host", "b@host", "c@host"])
    assert [found[call_id].what for call_id in ("a@host", "b@host", "c@host")] == [
        What.ENDED,
        What.SENDING,
        What.SENDING,
    ]


async def test_old_files_of_this_line_are_removed(tmp_path: Path) -> None:
    mine, other = tmp_path / "line-1.20260101.0.jsonl", tmp_path / "line-2.20260101.0.jsonl"
    for path in (mine, other):
        path.write_bytes(entry("old@host", What.ENDED).line())
    log = Journal(tmp_path, "line-1", keep_days=30)
    await log.write(entry("a@host", What.SENDING))
    log.close()
    assert not mine.exists()
    assert other.exists()


async def test_files_of_days_before_are_not_opened(tmp_path: Path) -> None:
    log = journal(tmp_path)
    await log.write(entry("old@host", What.SENDING))
    await log.write(entry("new@host", What.SENDING, at=NOON + timedelta(days=1)))
    log.close()
    wanted = ["old@host", "new@host"]
    assert set(read_journals(tmp_path, wanted, since=NOON)) == set(wanted)
    assert set(read_journals(tmp_path, wanted, since=NOON + timedelta(hours=13))) == {"new@host"}
    assert set(read_sends(tmp_path, since=NOON + timedelta(hours=13))) == {"att-new@host"}


async def test_the_newest_send_of_each_attempt_is_told_with_its_end(tmp_path: Path) -> None:
    first, second = journal(tmp_path, "line-1"), journal(tmp_path, "line-2")

    async def write(log: Journal, attempt: str, fence: int, what: What, disposition: str = "") -> None:
        fields = {"attempt_id": attempt, "fence": fence, "call_id": f"{attempt}-{fence}", "at": NOON}
        await log.write(Entry(**fields, what=what, disposition=disposition, contact_id=f"contact-of-{attempt}"))

    await write(second, "again", 1, What.SENDING)
    await write(second, "again", 1, What.UNSENT)
    await write(first, "again", 2, What.SENDING)
    await write(first, "never", 1, What.SENDING)
    await write(first, "never", 1, What.UNSENT)
    await write(first, "over", 1, What.SENDING)
    await write(first, "over", 1, What.ANSWERED)
    await write(first, "over", 1, What.ENDED, Disposition.INFORMED)
    first.close()
    second.close()
    with (tmp_path / "line-1.20260302.0.jsonl").open("ab") as file:
        file.write(b'{"attempt_id":"torn","fen\n[]\nnull\n\xff\n')
    sends = read_sends(tmp_path)
    assert {key: (send.fence, send.line, send.disposition) for key, send in sends.items()} == {
        "again": (2, "line-1", ""),
        "over": (1, "line-1", "informed"),
    }
    assert sends["over"].contact_id == "contact-of-over"
    assert sends["over"].at == sends["over"].ended_at == NOON.timestamp()
    assert sends["over"].call_id == "over-1"


async def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("not ours\n")
    assert read_journals(tmp_path, ["a@host"]) == {}
    assert read_journals(tmp_path / "missing", ["a@host"]) == {}


async def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    in_the_way = tmp_path / "journal"
    in_the_way.write_text("a file, not a directory")
    log = journal(in_the_way)
    with pytest.raises(JournalError, match="free space or fix permissions"):
        await log.write(entry("a@host", What.SENDING))
    log.close()
