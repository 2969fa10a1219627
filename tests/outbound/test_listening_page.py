"""``outbound hear``: every prompt of a flow on one page, by the voice that would say it."""

from __future__ import annotations

import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from outbound.errors import Invalid
from outbound.listening_page import write_page
from tests.outbound.conftest import PARCEL
from tests.speech.test_recorded import spoken

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 26, 15, tzinfo=UTC)


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "parcel.yaml"
    path.write_text(yaml.safe_dump(PARCEL), encoding="utf-8")
    return path


def test_every_prompt_can_be_listened_to(flow: Path, tmp_path: Path) -> None:
    page = write_page(flow, {"business": "A <b> & co"}, tmp_path / "out", now=NOW)
    shown = page.read_text(encoding="utf-8")
    files = sorted(path.name for path in (tmp_path / "out").glob("*.wav"))
    assert shown.count("<audio") == len(files) > 20
    assert all(f'src="{name}"' in shown for name in files)
    assert "A &amp; co" in shown
    assert "<b>" not in shown
    assert "wording.opt_out" in shown
    assert "piper:" in shown
    with wave.open(str(tmp_path / "out" / files[0])) as first:
        assert (first.getframerate(), first.getnchannels()) == (8000, 1)
        assert first.getnframes() > 4000


def test_a_person_who_spoke_it_is_heard(flow: Path, tmp_path: Path) -> None:
    spoken(tmp_path / "spoken", "sorry", "We will not call you again.")
    page = write_page(flow, {}, tmp_path / "out", spoken_dir=tmp_path / "spoken", now=NOW)
    assert "recorded:sorry" in page.read_text(encoding="utf-8")


def test_a_flow_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: x", encoding="utf-8")
    with pytest.raises(Invalid):
        write_page(tmp_path / "bad.yaml", {}, tmp_path / "out")
