"""A line process whose loopback engine rings customers who talk and press keys, and how a host starts such lines."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

from dialer.line import main
from dialer.link import LineCommand, LineProcess, OnAsked, start_line
from dialer.messages import CallEvent, CallResult, Released
from outbound.line_keeper import StartLine
from outbound.settings import Settings
from outbound.speech_processes import SpeechProcesses
from tests.dialer.customers import Exchange, FarEnd

NUMBER, SILENT, NAME = "+447700900417", "+447700900418", "Philippa Quill"
CHANGER = "+447700900419"
WORDS, DIGITS = "the porcupine stays at home", "4711"
FLOW = {
    "name": "observed",
    "title": "A call to be observed",
    "languages": ["en"],
    "variables": {"business": {"per": "campaign"}, "parcel": {}},
    "voicemail": "hangup",
    "steps": {
        "hello": {"type": "identify", "say": {"en": "Robot of {{business}}."}, "then": "question"},
        "question": {
            "type": "ask",
            "say": {"en": "A {{parcel}}. Home? Yes 1, no 2. Person {{key_agent}}, never again {{key_opt_out}}."},
            "answers": {
                "yes": {"key": "1", "then": "code", "settle": "accepted"},
                "no": {"key": "2", "then": "code", "settle": "declined"},
            },
            "otherwise": "code",
        },
        "code": {
            "type": "collect",
            "say": {"en": "Your code?"},
            "least": 4,
            "save_as": "code",
            "then": "bye",
            "otherwise": "bye",
        },
        "bye": {"type": "hangup", "say": {"en": "Goodbye."}},
        "person": {"type": "handoff", "otherwise": "bye"},
        "never": {"type": "opt_out"},
    },
}


async def talks(customer: FarEnd) -> None:
    """Says something, then presses yes, a code, and yes again."""
    await customer.leg.answer(180)
    await customer.answer()
    await customer.listen()
    await customer.say(WORDS)
    await customer.listen()
    await customer.press("1")
    await customer.listen()
    await customer.press(DIGITS)
    await customer.listen()
    await customer.press("1")
    await customer.stay()


async def stays(customer: FarEnd) -> None:
    """Answers and says nothing."""
    await customer.answer()
    await customer.over.wait()


async def changes(customer: FarEnd) -> None:
    """Wants another day for a delivery, by key, and takes the first that is offered, in words."""
    await customer.answer()
    await customer.listen()
    await customer.press("2")
    while "I can offer" not in customer.heard[-1]:
        await customer.listen()
    await customer.say("the first one")
    await customer.stay()


def talking_lines(settings: Settings, speech: SpeechProcesses, on_asked: OnAsked) -> StartLine:
    """In place of :func:`outbound.lines.line_starter`: lines that ring these customers."""
    options = ["--engine", "loopback", "--data", str(settings.data_dir), *speech.line_options]

    def start(
        name: str,
        *,
        on_event: Callable[[CallEvent], None],
        on_result: Callable[[CallResult], Awaitable[None]],
        on_released: Callable[[Released], Awaitable[None]],
    ) -> Awaitable[LineProcess]:
        command = LineCommand(options=options, module="tests.acceptance.talking_line")
        return start_line(
            name, command, on_event=on_event, on_result=on_result, on_released=on_released, on_asked=on_asked
        )

    return start


if __name__ == "__main__":
    sys.exit(main(listener=Exchange({NUMBER: talks, SILENT: stays, CHANGER: changes})))
