"""What the agent's telephone is told, and what the customer hears meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from dialer.handoff import SUMMARY_CHARS, summary_header
from dialer.tones import comfort_pattern
from speech.audio import rms_dbfs, samples

pytestmark = pytest.mark.unit


def test_a_summary_cannot_add_headers() -> None:
    assert summary_header("Jane\r\nX-Evil: 1\x00 wants\ta person ") == "Jane X-Evil: 1  wants a person"
    assert summary_header("陈女士想换时间") == "陈女士想换时间"
    assert len(summary_header("x" * 5000)) == SUMMARY_CHARS


def test_the_comfort_pattern_is_soft_and_short() -> None:
    sound = samples(comfort_pattern())
    assert -45 < rms_dbfs(sound) < -25
    assert np.abs(sound.astype(int)).max() < 2000
    assert 2.0 < len(sound) / 8000 < 4.0
    quiet = len(sound) - int(np.abs(sound).nonzero()[0].max())
    assert quiet / 8000 < 1.5, "nobody may take the line for dead"
