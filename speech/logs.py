"""Logs of a process of this service: one JSON object a line on stderr, without numbers, whoever wrote the text.

What a caller said must not be logged in the first place; nobody could find it here. It keeps no file.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

LEVEL = "OUTBOUND_LOG_LEVEL"
"""Environment variable that the host and its children read alike."""
PERSONAL = "pii."
"""Fields whose name begins so are for debugging on one's own machine, and never written."""
NUMBER = "[number]"
_ADDRESS = re.compile(r"\b(sips?|tel):\+?[\d().-]{3,}(?:;[^\s@>\"']*)?", re.IGNORECASE)
_E164 = re.compile(r"\+[1-9](?:[ ().-]{0,2}\d){6,14}")
_BARE = re.compile(r"(?<![\w.])\d(?:[ ()-]{0,2}\d){7,14}(?![\w-]|\.\d)")
"""Runs of 8 to 15 digits (E.164 allows 15) that are no part of a word, an id, a date, a fraction."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2})?")
_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""Fields of every record; others were given by whoever logged."""


def scrubbed(text: str) -> str:
    """``text`` with telephone numbers, and SIP and tel addresses of numbers, left out."""
    if not any(sign.isdigit() for sign in text):
        return text
    text = _ADDRESS.sub(lambda found: f"{found[1]}:{NUMBER}", text)
    text = _E164.sub(NUMBER, text)
    return _BARE.sub(lambda found: found[0] if _DATE.match(found[0]) else NUMBER, text)


def scrub(value: Any) -> Any:
    """``value`` with every text in it scrubbed; what is neither text nor number is shown as text."""
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, dict):
        return {scrubbed(str(key)): scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(item) for item in value]
    return scrubbed(str(value))


def without_personal(fields: dict[str, Any]) -> dict[str, Any]:
    """``fields`` scrubbed, without those that are personal."""
    return {name: scrub(value) for name, value in fields.items() if not name.startswith(PERSONAL)}


class JsonLines(logging.Formatter):
    """Writes a record as the host's logs are written."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields = {name: value for name, value in vars(record).items() if name not in _RECORD}
        fields |= {"event": record.getMessage(), "level": record.levelname.lower(), "logger": record.name}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        return json.dumps(without_personal(fields) | {"process": self._process, "timestamp": at})


def configure(process: str, *, level: str = "") -> None:
    """Send every logger of this process, and what nobody caught, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    name = (level or os.environ.get(LEVEL, "")).upper()
    root.setLevel(name if name in logging.getLevelNamesMapping() else logging.WARNING)
    catch_all()


def catch_all() -> None:
    """Log warnings, and what ends a thread or the process, in place of bare text on stderr."""
    logging.captureWarnings(True)
    sys.excepthook = log_uncaught
    threading.excepthook = lambda told: log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Log what nobody caught."""
    if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger(__name__).critical("nobody caught this", exc_info=(kind, error, trace))
