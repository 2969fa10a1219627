"""Talks to a call flow at the terminal, with the engine that talks on the telephone; nobody is called."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from campaigns.flow.document import Context, Flow, FlowError
from campaigns.flow.simulate import Simulated, simulate
from outbound.callflows import read_flow
from outbound.errors import Invalid
from outbound.places import zone as known_zone
from outbound.yaml_files import load_yaml


def talk(path: Path, values: Mapping[str, str], *, language: str, zone: str) -> None:
    """Read what the customer does from standard input, a line each, and print the call as it goes.

    Raises :class:`Invalid` for a flow, variable, zone or input that cannot be taken, naming it.
    """
    if known_zone(zone) is None:
        raise Invalid(f"--zone {zone}: there is no such time zone; give an IANA name such as Europe/London")
    flow = read_flow(load_yaml(path), source=path.name)
    examples = {name: variable.example or "" for name, variable in flow.variables.items() if variable.default is None}
    context = Context(
        variables={**examples, **values}, language=language, now=datetime.now(UTC), zone=zone, can_hand_off=True
    )
    shown = 0
    for call in _calls(flow, context):
        for turn in call.turns[shown:]:
            click.echo(f"{turn.who.value:>8}  {turn.text}" + (f"   [{turn.intent}]" if turn.intent else ""))
        shown = len(call.turns)
        if call.ended:
            click.echo(f"{'ended':>8}  {call.disposition} {call.outcome}".rstrip())


def _calls(flow: Flow, context: Context) -> Iterator[Simulated]:
    """The call after each input; every time from its beginning, which costs less than a millisecond a turn."""
    inputs: list[str] = []
    while True:
        try:
            call = simulate(flow, context, inputs)
        except (FlowError, ValueError) as error:
            raise Invalid(str(error)) from error
        yield call
        line = "" if call.ended else sys.stdin.readline()
        if not line:
            return
        inputs.append(line.strip() or "(silence)")
