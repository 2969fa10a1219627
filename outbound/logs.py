"""Structured logs: a static message plus fields, one JSON object a line; nothing personal, whoever wrote the text.

Fields under ``pii.*`` are dropped, and numbers are left out of everything else as a last defence (speech/logs.py).
"""

from __future__ import annotations

import logging
import sys

import structlog

from speech.logs import catch_all, without_personal

TIMESTAMP = "timestamp"


def configure_logs(level: str) -> None:
    """Send structlog and the standard library's loggers to stderr; readable on a terminal, JSON elsewhere."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key=TIMESTAMP),
    ]
    renderer: structlog.types.Processor
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _scrub,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("arq", "aiohttp.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    catch_all()


def _scrub(_: object, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """After everything else, so that exceptions and what libraries write are scrubbed too."""
    at = event.pop(TIMESTAMP, None)
    return without_personal(dict(event)) | ({TIMESTAMP: at} if at is not None else {})
