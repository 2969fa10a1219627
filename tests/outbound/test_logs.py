"""What a failure writes into the log of a running service: where it was, never whom it was about."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
NUMBER, NAME = "+447700900123", "Philippa Quill"
FAILING = """
import logging, os, sys
import structlog
from outbound.logs import configure_logs

def ring(number, name):
    person = {"number": number, "name": name}
    if person:
        raise ValueError("the call failed")

configure_logs("info")
for log in (structlog.get_logger("ours"), logging.getLogger("theirs")):
    try:
        ring(*sys.argv[1:])
    except ValueError:
        log.exception("not called")
"""


def test_a_traceback_shows_no_locals() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FAILING, NUMBER, NAME], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["not called"] * 2
    assert all("in ring" in line["exception"] for line in lines)
    assert not [secret for secret in (NUMBER[1:], NAME) if secret in ended.stderr]


def test_nor_on_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", FAILING, NUMBER, NAME], stderr=theirs, check=True, timeout=60)
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert shown.count("the call failed") == 2
    assert not [secret for secret in (NUMBER[1:], NAME) if secret in shown]
