"""``outbound rehearse`` from outside: a whole rehearsal over real SIP, right endings and a wrong one, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).resolve().parents[2]

FIRST = """\
name: Parcels
callflow: shipping_alert
purpose: transactional
variables: {business: Northwind, callback_number: "+12025550100"}
contacts:
  - {number: "+12025550101", name: Ada, variables: WHEN}
  - {number: "+12025550102", name: Ben, variables: WHEN}
  - {number: "+12025550103", name: Cy, variables: WHEN}
"""
SECOND = """\
name: Members
callflow: membership_renewal
purpose: marketing
variables: {business: Northwind, callback_number: "+12025550100"}
contacts:
  - number: "+12025550101"
    name: Ada
    consent: express_written
    variables: {price: 49 USD, renewal_date: "2026-12-31"}
"""
CAST = """\
behaviours:
  presses_9: {ends: [opted_out], rings_s: 0.1, steps: [{hear: 0.5}, {press: "9"}]}
  refuses: {reject: 603, rings_s: 0.1}
  leaves: {rings_s: 0.1, steps: [{hear: 0.5}, hang_up]}
customers:
  - name: Ada
    number: "+12025550101"
    behaviour: presses_9
    expect:
      second: {disposition: refused, attempts: 0, receipt: opted_out}
  - {name: Ben, number: "+12025550102", behaviour: refuses, expect: {any: {disposition: rejected, attempts: 1}}}
  - {name: Cy, number: "+12025550103", behaviour: leaves, expect: {any: {disposition: hung_up}}}
"""


def rehearsal(folder: Path) -> list[str]:
    when = '{delivery_day: "2026-12-03", delivery_window: "9:00-12:00"}'
    (folder / "first.yaml").write_text(FIRST.replace("WHEN", when))
    (folder / "second.yaml").write_text(SECOND)
    (folder / "cast.yaml").write_text(CAST)
    names = [str(folder / name) for name in ("first.yaml", "second.yaml")]
    return [sys.executable, "-m", "outbound", "rehearse", *names, "--customers", str(folder / "cast.yaml")]


def environment(folder: Path) -> dict[str, str]:
    """Engines that need no model: what is pressed and hung up needs no words."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OUTBOUND_DATA_DIR": str(folder / "data"),
        "OUTBOUND_RECOGNIZER": "scripted",
        "OUTBOUND_SYNTHESIZER": "scripted",
    }


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment(folder), capture_output=True, text=True, timeout=110, check=False)


def test_a_rehearsal_passes_and_fails_by_its_endings(tmp_path: Path) -> None:
    command = rehearsal(tmp_path)
    good = run(tmp_path, command)
    assert (good.returncode, good.stderr) == (0, ""), good.stdout
    for line in (
        "✓ Ada (first): opted_out",
        "✓ Ada (second): not rung",
        "✓ Ada (second): receipt opted_out",
        "✓ Ada: rung once at the exchange",
        "✓ Ben (first): rejected",
        "✓ Cy (first): hung_up",
    ):
        assert line in good.stdout

    cast = tmp_path / "cast.yaml"
    cast.write_text(CAST.replace("disposition: hung_up", "disposition: accepted"))
    wrong = run(tmp_path, command)  # in the same directory: nothing has to be cleaned by hand
    assert wrong.returncode == 1
    assert "✗ Cy (first): expected accepted, but hung_up" in wrong.stdout
    assert str(tmp_path / "data" / "rehearsal" / "tapes" / "12025550103-1.wav") in wrong.stdout


def test_an_interrupted_rehearsal_leaves_nothing_running(tmp_path: Path) -> None:
    command = rehearsal(tmp_path)
    with subprocess.Popen(
        command, env=environment(tmp_path), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert any("answered" in line for line in process.stdout)
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
            assert process.returncode == 130
            with pytest.raises(ProcessLookupError):
                os.killpg(process.pid, 0)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("broken", "change", "message"),
    [
        ("cast.yaml", ("behaviour: leaves", "behaviour: sings"), "cast.yaml, line 12: .*unknown behaviour 'sings'"),
        ("first.yaml", ("shipping_alert", "shipping_alarm"), "there is no call flow 'shipping_alarm'"),
    ],
)
def test_a_mistake_is_one_message_and_no_traceback(
    tmp_path: Path, broken: str, change: tuple[str, str], message: str
) -> None:
    command = rehearsal(tmp_path)
    file = tmp_path / broken
    file.write_text(file.read_text().replace(*change))
    failed = run(tmp_path, command)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert re.search(message, failed.stderr), failed.stderr
