"""How this host's line processes are started: the command line of ``dialer.line`` from the settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from dialer.link import LineProcess, OnAsked, start_line
from dialer.messages import CallEvent, CallResult, Released
from outbound.line_keeper import StartLine
from outbound.settings import Settings
from outbound.speech_processes import SpeechProcesses


def line_starter(settings: Settings, speech: SpeechProcesses, on_asked: OnAsked) -> StartLine:
    """Return what starts a line by its name; ``on_asked`` asks the systems of the business for its calls."""
    options = [
        "--engine",
        settings.engine,
        "--bind",
        settings.sip_bind,
        "--data",
        str(settings.data_dir.resolve()),
        *(("--recording-key", str(settings.recording_key)) if settings.recording_key else ()),
        *(("--spoken", str(settings.spoken_dir)) if settings.spoken_dir else ()),
        *speech.line_options,
    ]

    def start(
        name: str,
        *,
        on_event: Callable[[CallEvent], None],
        on_result: Callable[[CallResult], Awaitable[None]],
        on_released: Callable[[Released], Awaitable[None]],
    ) -> Awaitable[LineProcess]:
        return start_line(
            name, options, on_event=on_event, on_result=on_result, on_released=on_released, on_asked=on_asked
        )

    return start
