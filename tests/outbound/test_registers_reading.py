"""Lists as people send them: with and without header, column, plus sign; what is no list is refused whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from outbound.importing.source import FileRefused
from outbound.registers.reading import ListReader, judge

pytestmark = pytest.mark.integration

A, B = 447700900001, 447700900002


def read(folder: Path, content: str | bytes, **options: str) -> tuple[list[int], dict[int, str]]:
    """The numbers of a file and its rejects, by line."""
    path = folder / "numbers.list"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    reader = ListReader(path, **options)
    try:
        numbers, rejects = [], {}
        while True:
            batch = reader.batch(2)
            numbers += batch.numbers
            rejects |= dict(batch.rejected)
            if batch.last:
                return numbers, rejects
    finally:
        reader.close()


@pytest.mark.parametrize(
    "content",
    [
        f"+{A}\n+{B}\n",
        f"+{A}\r\n\r\n+{B}",
        f"number\n+{A}\n+{B}\n",
        f"Phone\n+{A}\n+{B}\n",
        f'"+{A}"\n"+{B}"\n',
        f"+{A},\n+{B},\n",
        f"name,number,since\nAnn,+{A},2020\n\n,+{B},\n",
        f'name;Number\n"Ann; ""the"" one";+{A}\nBen;"+{B}"\n',
        f"Ann\t+{A}\t2020\nBen\t+{B}\t2021\n",
        f"\ufeffnumber\n+{A}\n+{B}\n",
        f"\ufeff+{A}\n+{B}\n".encode("utf-16"),
        f'name,number\n"never closed,+{A}\nBen,+{B}\n',
    ],
)
def test_lists_of_two_numbers(tmp_path: Path, content: str | bytes) -> None:
    assert read(tmp_path, content) == ([A, B], {})


def test_numbers_without_plus_are_of_the_region(tmp_path: Path) -> None:
    assert read(tmp_path, "07700900001\n7700 900002\n", default_region="GB") == ([A, B], {})
    numbers, rejects = read(tmp_path, f"+{A}\n07700900002\n")
    assert numbers == [A]
    assert "no country code" in rejects[2]


def test_lines_without_a_number_cost_themselves_alone(tmp_path: Path) -> None:
    content = f"name,number\nAnn\nBen,+{A}\nCleo,n/a\n,,,\nDan,+{B},more\n" + "x" * 70_000 + "\n"
    numbers, rejects = read(tmp_path, content)
    assert numbers == [A, B]
    assert sorted(rejects) == [2, 4, 7]
    assert "too long" in rejects[7]


def test_an_empty_cell_is_no_number(tmp_path: Path) -> None:
    numbers, rejects = read(tmp_path, f"name,number\nAnn,\nBen,+{A}\n")
    assert (numbers, list(rejects)) == ([A], [2])
    assert "missing" in rejects[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\n" * 70_000, "empty"),
        (b"PK\x03\x04xx", "spreadsheet or ZIP"),
        (b"a,b\n1,2\n", "name the column"),
        (f"+{A},+{B}\n".encode(), "several columns"),
        (b"number,number\n", "several columns"),
        (b"x" * 70_000, "too long"),
    ],
)
def test_what_is_no_list_is_refused_whole(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(FileRefused, match=said):
        read(tmp_path, content)


def test_reading_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "numbers.list"
    path.write_text(f"number\n+{A}\n\n+{B}\n")
    reader = ListReader(path)
    reader.skip(3)
    assert reader.line == 3
    batch = reader.batch(10)
    assert (batch.numbers, batch.through, batch.last) == ([B], 4, True)
    reader.skip(99)
    assert reader.batch(10).numbers == []
    reader.close()


def test_a_page_that_is_no_list_is_judged_by_its_lines() -> None:
    assert judge(10, 10) == ""
    assert "11 of 21 lines hold no number (line 3: why)" in judge(10, 11, example=" (line 3: why)")
    assert judge(0, 0)
