"""The flow of one call, opened: parsed, in its contact's language and zone, with its first effects.

It is made before anything is sent, so that a broken flow never rings anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from campaigns.flow.disclosing import with_disclosures
from campaigns.flow.document import Context, Flow, parse_flow
from campaigns.flow.effects import Effect
from campaigns.flow.engine import State, start
from campaigns.flow.model import Voicemail
from dialer.messages import CallRequest
from dialer.said_to_all import SaidToAll


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A flow about to be performed."""

    flow: Flow
    language: str
    state: State
    effects: Sequence[Effect]
    said_to_all: SaidToAll

    @classmethod
    def open(cls, request: CallRequest, *, now: datetime) -> Self:
        """Parse and start the flow of ``request``. Raises :class:`campaigns.flow.document.FlowError`."""
        document = with_disclosures(request.flow, request.disclosures)
        flow = parse_flow(document, source=f"call flow of attempt {request.attempt_id}")
        if request.on_machine == "hang_up":
            flow = replace(flow, voicemail=Voicemail(leave=None))
        context = Context(
            variables=request.variables,
            language=request.language,
            now=now,
            zone=request.zone,
            can_hand_off=bool(request.agent_uri),
        )
        state, effects = start(flow, context)
        said_to_all = SaidToAll(flow, request, now=now)
        return cls(flow=flow, language=request.language, state=state, effects=effects, said_to_all=said_to_all)
