"""Asking speech processes from asyncio: a recogniser to hear an utterance, a synthesiser to speak a text.

It adds nothing to hearing_client.py and voice_client.py: it is where the rest of the house finds them.
"""

from speech.hearing_client import RecognizerClient, RemoteHearing
from speech.voice_client import SynthesizerClient

__all__ = ["RecognizerClient", "RemoteHearing", "SynthesizerClient"]
