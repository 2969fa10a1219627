"""The SIP engine on pjsua2; only :mod:`.native` imports that package. It decides nothing about a call.

What keeps the native library alive (each line was a crash once):

- one Endpoint at a time; created, used and destroyed in the engine thread (``threadCnt=0``, ``mainThreadOnly``);
- no exception leaves a callback; no native object leaves the engine thread, nor does a traceback that holds one;
- a part of a native structure lives no longer than the structure: never chain through a temporary;
- a Call is kept until DISCONNECTED and dropped a turn later, outside its own callback, and only while no newer call has
  its id: its destructor would hang that one up;
- ports are pooled for the engine's life and rest 200 ms before their next use, for bridge operations are asynchronous;
- the media clock is stopped before ports are destroyed; stray references are disowned before ``libDestroy``.
"""

from __future__ import annotations

from dialer.engines import EngineOptions
from dialer.engines.pjsua2.accounts import Registration
from dialer.engines.pjsua2.engine import Pjsua2Engine
from dialer.incoming import Listener

__all__ = ["Pjsua2Engine", "Registration", "create"]


def create(options: EngineOptions, listener: Listener | None) -> Pjsua2Engine:
    """The engine, not yet started."""
    return Pjsua2Engine(options, listener)
