"""What a failure writes into the log of a running service: where it was, never whom it was about."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from speech.logs import scrubbed

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


NUMBERS = [
    "+447700900123",
    "+44 7700 900-123",
    "call 447700900123 now",
    "number=447700900123,",
    "number:447700900123",
    "sip:+447700900123@192.0.2.1:5060;user=phone",
    "<sip:447700900123@trunk.example>",
    "tel:+44-7700-900123",
    "(07700) 900 123",
    '"07700 900123"',
]
HARMLESS = [
    "2026-11-26T01:51:30.123456Z",
    "2026-11-26 01:51:30",
    "sip:agent@192.0.2.1:5060",
    "01KB1V6Z6P0000000000000000-1@outbound",
    "/usr/lib/python3.11/asyncio/base_events.py:1922",
    "0x7f1234567890",
    "after 0.123456789 s",
    "1764121890.123456",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_left_out_of_any_text(text: str) -> None:
    shown = scrubbed(f"before {text} after")
    assert "[number]" in shown
    assert not re.search(r"900.?123", shown)
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_number_stays(text: str) -> None:
    assert scrubbed(text) == text


QUOTING = """
import logging, sys, threading, warnings
import structlog
if sys.argv[1] == "host":
    from outbound.logs import configure_logs
    configure_logs("debug")
else:
    from speech.logs import configure
    configure("line-1", level="debug")

number, name = sys.argv[2:]
for log in (logging.getLogger("aiohttp.server"), logging.getLogger("sqlalchemy.engine"), logging.getLogger("ours")):
    log.debug("sent to sip:%s@192.0.2.1", number, extra={"to": number, "all": [{number: number}], "pii.name": name})
    try:
        raise ValueError(f"no route to {number}")
    except ValueError:
        log.exception("not called %s", number)
if sys.argv[1] == "host":
    structlog.get_logger("theirs").warning("seen", to=number, **{"pii.name": name})
warnings.warn(f"odd number {number}")

def fail():
    raise ValueError(f"thread of {number}")

thread = threading.Thread(target=fail)
thread.start()
thread.join()
raise RuntimeError(f"the end of {number}")
"""


@pytest.mark.parametrize("process", ["host", "line"])
def test_whoever_logs_a_number_it_does_not_show(process: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", QUOTING, process, NUMBER, NAME], capture_output=True, text=True, check=False, timeout=60
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.returncode == 1
    assert len(lines) == (10 if process == "host" else 9)
    assert all({"event", "level", "timestamp", "logger"} <= set(line) for line in lines)
    assert [line for line in lines if "nobody caught this" in line["event"]]
    assert not [secret for secret in (NUMBER[1:], NAME) if secret in ended.stderr]
    if process == "line":
        assert {line["process"] for line in lines} == {"line-1"}
