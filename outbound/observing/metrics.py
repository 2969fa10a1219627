"""What one process counts of itself for Prometheus: requests, what it committed, stalls of its event loop.

It reads no database (outbound/observing/gauges.py does) and has no label that grows with customers or campaigns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from campaigns.dispositions import Disposition
from dialer.messages import DIVERGENCE_S
from outbound.observing.commits import Commit, Row
from outbound.places import tzdata_age

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COMMIT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
GROUP_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200)
SYSTEM_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
HEARD_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 4.0)
STALL_BUCKETS = (0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
MOST_VALUES = 200
"""Values of one label; what comes later is ``other``."""
LEASE_EXPIRED = "lease_expired"
_ID = re.compile(r"\s*\b[0-9A-HJKMNP-TV-Z]{26}\b")
_NUMBER = re.compile(r"\+?\d{7,}")


class Values:
    """Keeps the values of a label few and free of ids and numbers, whatever a rule pack or an error calls itself."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def __call__(self, label: str, value: object) -> str:
        """``value``, or ``other`` when the label has too many already."""
        text = _NUMBER.sub("", _ID.sub("", str(value)))[:120].strip()
        seen = self._seen.setdefault(label, set())
        if text not in seen:
            if len(seen) >= MOST_VALUES:
                return "other"
            seen.add(text)
        return text


class Metrics:
    """The figures of one process, in a registry of its own, so that nothing else leaks in."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._value = Values()
        self._requests()
        self._life()
        self._sound()
        self._store()
        self.stalls = Histogram(
            "outbound_event_loop_stall_seconds",
            "Times the event loop did nothing else for over 50 ms.",
            buckets=STALL_BUCKETS,
            registry=self.registry,
        )
        tzdata = Gauge("outbound_tzdata_outdated", "1 when the tz database in use is too old.", registry=self.registry)
        tzdata.set_function(lambda: float(tzdata_age(datetime.now(UTC)) is not None))
        build = Gauge("outbound_build_info", "1, with the version.", ("version",), registry=self.registry)
        build.labels(version("outbound")).set(1)
        ProcessCollector(registry=self.registry)

    def _requests(self) -> None:
        names = ("method", "route", "status")
        self.requests = Counter("outbound_http_requests", "Requests answered.", names, registry=self.registry)
        self.request_seconds = Histogram(
            "outbound_http_request_seconds",
            "Time from a request to its answer; streams are left out.",
            ("method", "route"),
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.at_work = Gauge("outbound_http_requests_at_work", "Requests being answered.", registry=self.registry)

    def _life(self) -> None:
        registry = self.registry
        self._attempts = Counter("outbound_attempts", "Attempts that ended.", ("disposition",), registry=registry)
        for disposition in Disposition:
            self._attempts.labels(disposition.value)
        self._released = Counter(
            "outbound_attempts_released", "Attempts given back unsent, by reason.", ("reason",), registry=registry
        )
        self._expiries = Counter(
            "outbound_lease_expiries", "Leases that ended before their attempt did.", registry=registry
        )
        self._refusals = Counter(
            "outbound_gate_refusals",
            "Times an attempt was refused, put off or called off, by the deciding rule.",
            ("rule", "code"),
            registry=registry,
        )
        self._events = Counter("outbound_events", "Events appended.", ("kind",), registry=registry)
        self._systems = Histogram(
            "outbound_system_seconds",
            "Time that a system of the business took to answer a call, or not to.",
            ("system", "state"),
            buckets=SYSTEM_BUCKETS,
            registry=registry,
        )

    def _sound(self) -> None:
        """Measured from recordings, not by our own clock."""
        self._first_sound = self._histogram("answer_to_audio", "From the answer to the robot's first sound.")
        self._gaps = self._histogram("turn_gap", "From the end of a customer's words to the robot's reply.")
        self._stops = self._histogram("barge_in_stop", "From a customer's cutting in to the robot's silence.")
        self._owed = Counter(
            "outbound_owed_seconds", "Silences over 1.5 s that were ours to end.", registry=self.registry
        )
        self._diverging = Counter(
            "outbound_timing_divergences",
            "Calls in which the sound and our own clock disagree by over 0.5 s.",
            registry=self.registry,
        )

    def _histogram(self, name: str, told: str) -> Histogram:
        return Histogram(f"outbound_{name}_seconds", told, buckets=HEARD_BUCKETS, registry=self.registry)

    def _store(self) -> None:
        self._commits = Histogram(
            "outbound_store_commit_seconds",
            "Time from COMMIT to its answer.",
            buckets=COMMIT_BUCKETS,
            registry=self.registry,
        )
        self._groups = Histogram(
            "outbound_store_group_size",
            "Units of work that shared one commit.",
            buckets=GROUP_BUCKETS,
            registry=self.registry,
        )

    def committed(self, commit: Commit) -> None:
        """Count what a commit of this process made true; called in a store thread."""
        self._commits.observe(commit.seconds)
        if commit.units:
            self._groups.observe(commit.units)
        for table, row in commit.rows:
            if table == "events":
                self._count(row)
            elif not row["allowed"]:
                self._refusals.labels(self._value("rule", row["rule"]), self._value("code", row["code"])).inc()

    def _heard(self, data: Mapping[str, Any]) -> None:
        """What a customer heard, as the recording says."""
        if data.get("answer_to_audio_s") is not None:
            self._first_sound.observe(data["answer_to_audio_s"])
        for gap_s in data.get("turn_gaps_s", ()):
            self._gaps.observe(gap_s)
        for stop_s in data.get("barge_in_stops_s", ()):
            self._stops.observe(stop_s)
        self._owed.inc(data.get("owed_s", 0.0))
        if data.get("divergence_s", 0.0) > DIVERGENCE_S:
            self._diverging.inc()

    def _count(self, row: Row) -> None:
        kind, data = row["kind"], row["data"] or {}
        self._events.labels(self._value("kind", kind)).inc()
        match kind:
            case "attempt.done":
                self._attempts.labels(self._value("disposition", data.get("disposition"))).inc()
            case "attempt.undetermined":
                self._attempts.labels(Disposition.UNDETERMINED.value).inc()
            case "call.measured":
                self._heard(data)
            case "call.system" if "took_s" in data:
                labels = self._value("system", data.get("system")), self._value("state", data.get("state"))
                self._systems.labels(*labels).observe(data["took_s"])
            case "attempt.released":
                self._released.labels(self._value("reason", data.get("reason"))).inc()
        if LEASE_EXPIRED in (data.get("reason"), data.get("hangup_cause"), data.get("cause")):
            self._expiries.inc()
