"""What the bench's figures are held against: bare SQLite, COPY, a bare commit, sipp; and the processor time it took.

It measures; what is measured, and beside what it is printed, is decided in bench.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine, insert
from sqlalchemy.engine import make_url

from outbound.store.schema import campaigns, metadata, trunks
from speech.audio import read_wav, to_mulaw

TICKS = os.sysconf("SC_CLK_TCK")
COLUMNS = "id, campaign_id, number, ref, name, language, zones, jurisdictions, consent, variables, created_at"
BARE_SCHEMA = "outbound_bare"
BARE_TRUNK = {"name": "bare", "settings": {}, "calls_per_second": 1.0, "channels": 1, "created_at": 1.0}
BARE_CAMPAIGN = {
    "id": "0" * 26,
    "kind": "campaign",
    "name": "Bare",
    "state": "draft",
    "purpose": "informational",
    "trunk": "bare",
    "callflow": "none",
    "flow": {},
    "settings": {},
    "max_concurrent": 1,
    "created_at": 1.0,
}
"""What the rows of the bare table point at, where the database asks for it."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` per cent of ``values`` lie; NaN when there are none."""
    return float(np.percentile(values, share)) if values else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast rows went in."""

    rows: int
    wall_s: float
    cpu_s: float
    """Of the process that sent them."""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.wall_s


def bare_insert_rate(folder: Path, rows: int) -> float:
    """Rows a second of :func:`bare_insert`."""
    return bare_insert(folder, rows).rate


def bare_insert(folder: Path, rows: int) -> Pace:
    """Time ``sqlite3.executemany`` with prebuilt rows into the product's own contacts table, one commit."""
    path = folder / "bare.db"
    path.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    prebuilt = _contact_rows(rows)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    began, used = time.perf_counter(), time.process_time()
    with connection:
        marks = ", ".join("?" * len(prebuilt[0]))
        connection.executemany(f"INSERT INTO contacts ({COLUMNS}) VALUES ({marks})", prebuilt)  # noqa: S608 - constants
    took = Pace(rows=rows, wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used)
    connection.close()
    return took


def bare_copy(url: str, rows: int) -> Pace:
    """Time ``COPY`` of prebuilt rows into the product's own contacts table in a schema apart, one commit."""
    engine = create_engine(make_url(url).update_query_dict({"options": f"-csearch_path={BARE_SCHEMA}"}))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {BARE_SCHEMA}")
        metadata.create_all(connection)
        connection.execute(insert(trunks), BARE_TRUNK)
        connection.execute(insert(campaigns), BARE_CAMPAIGN)
    prebuilt = _contact_rows(rows)
    raw = engine.raw_connection()
    began, used = time.perf_counter(), time.process_time()
    driver: Any = raw.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY contacts ({COLUMNS}) FROM STDIN") as copy:
        for row in prebuilt:
            copy.write_row(row)
    raw.commit()
    took = Pace(rows=rows, wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used)
    raw.close()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {BARE_SCHEMA} CASCADE")
    engine.dispose()
    return took


def _contact_rows(rows: int) -> list[tuple[Any, ...]]:
    """Rows in the order of :data:`COLUMNS`, as the bench's file has them."""
    where, variables = '["America/Los_Angeles"]', json.dumps({"order_id": "4711", "delivery_day": "tomorrow"})
    return [
        (f"{n:026d}", "0" * 26, f"+1415{n:07d}", "", f"Name {n}", "", where, '["US", "US-CA"]', "none", variables, 1.0)
        for n in range(rows)
    ]


def peak_mib(pid: int | str = "self") -> float:
    """Peak resident memory of a process so far; 0 where it is gone or there is no /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def commit_ms(folder: Path, times: int = 40) -> list[float]:
    """Milliseconds of one small durable write each: what any promise to remember costs at least here."""
    found = []
    with (folder / "commit").open("wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            found.append((time.perf_counter() - began) * 1000)
    return found


def children(module: str) -> list[int]:
    """Process ids below ours that run ``python -m module``; empty where there is no /proc."""
    parents: dict[int, int] = {}
    running = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if module.encode() in command:
            running.append(int(folder.name))
    return sorted(pid for pid in running if os.getpid() in _ancestors(pid, parents))


def _ancestors(pid: int, parents: dict[int, int]) -> list[int]:
    found = []
    while pid := parents.get(pid, 0):
        found.append(pid)
    return found


def cpu_s(pids: Sequence[int]) -> float:
    """Processor seconds that processes have used so far, all their threads together."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


SIPP_SCENARIO = """\
<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="plays a sound">
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  <nop><action><exec rtp_stream="SOUND,-1,0"/></action></nop>
  <pause milliseconds="LASTS"/>
  <send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv response="200"/>
</scenario>
"""


async def sipp_cpu_ms(folder: Path, *, exchange: str, number: str, sound: Path, seconds: float) -> float | None:
    """CPU milliseconds a call-second of sipp playing a sound to one customer; ``None`` where there is no sipp."""
    sipp = shutil.which("sipp")
    if sipp is None:
        return None
    await asyncio.to_thread(_prepare_sipp, folder, sound, seconds)
    before = _children_cpu_s()
    process = await asyncio.create_subprocess_exec(
        *(sipp, exchange, "-sf", "peer.xml", "-s", number, "-i", "127.0.0.1", "-m", "1", "-nostdin"),
        *("-timeout", f"{seconds + 10:g}s", "-recv_timeout", "8000"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    code = await process.wait()
    return (_children_cpu_s() - before) * 1000 / seconds if code == 0 else None


def _prepare_sipp(folder: Path, sound: Path, seconds: float) -> None:
    (folder / "sound.raw").write_bytes(to_mulaw(read_wav(sound)[0][:, 0]))
    scenario = SIPP_SCENARIO.replace("SOUND", "sound.raw").replace("LASTS", str(int(seconds * 1000)))
    (folder / "peer.xml").write_text(scenario)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
