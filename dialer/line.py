"""A line process: ``python -m dialer.line`` hosts a few calls of one engine for the host that started it.

It holds no database; it builds the engine, ears and voices, hands them to the station and exits with its host.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from dialer import wire
from dialer.engines import EngineOptions, create_engine, engine_names
from dialer.equipment import Equipment
from dialer.incoming import Listener
from dialer.journal import Journal
from dialer.legs import LegError
from dialer.station import Station
from dialer.vault import Vault
from dialer.voices import Voices
from speech import logs
from speech.client import RecognizerClient, SynthesizerClient
from speech.prompts import PromptCache
from speech.recorded import Recorded, RecordingUnreadable

PR_SET_PDEATHSIG = 1
CANNOT_START = 3
"""Exit code when the engine cannot run; the last frame says why."""


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m dialer.line", description=__doc__)
    add = parser.add_argument
    add("--name", required=True, help="name of this line, also of its journal")
    add("--fd", type=int, required=True, help="inherited descriptor of a socket pair to the host")
    add("--engine", default="pjsua2", help="one of " + ", ".join(engine_names()))
    add("--data", type=Path, required=True, help="directory of journal, recordings and prompts")
    add(
        "--recording-key",
        type=Path,
        help="file of the key that seals recordings; recordings.key in --data when left out",
    )
    add("--recognizer", action="append", default=[], metavar="SOCK", help="unix socket of a recogniser process")
    add(
        "--synthesizer",
        action="append",
        type=voice_option,
        default=[],
        metavar="LANG/ENGINE=SOCK",
        help="unix socket of a synthesiser process and its language (* for any other); the first of a language is best",
    )
    add("--spoken", type=Path, help="folder of sentences that people spoke (LANGUAGE/NAME.wav and .txt)")
    add("--bind", default="127.0.0.1", help="IPv4 address of SIP and RTP sockets")
    add("--port", type=int, default=0, help="SIP port, 0 for any")
    add("--public-address", default="", help="IPv4 address in Contact and SDP when it differs from --bind")
    add("--rtp-port", type=int, default=0, help="first RTP port, 0 for any")
    add("--rtp-port-range", type=int, default=0, help="how many ports above --rtp-port")
    add("--max-calls", type=int, default=250, help="legs wanted at most; the engine may allow fewer")
    add("--log-level", default="", help=f"least severe level; that of {logs.LEVEL} when empty")
    return parser.parse_args(arguments)


def die_with_parent() -> None:
    """Have the kernel send SIGTERM when the host dies (prctl(2)); the closed socket then says why."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def voice_option(value: str) -> tuple[str, Path]:
    """Read ``LANG/ENGINE=SOCK``; the engine only names it. Raises ``argparse.ArgumentTypeError``."""
    served, equals, path = value.partition("=")
    language = served.partition("/")[0]
    if not (equals and path and language):
        raise argparse.ArgumentTypeError(f"{value!r} is not LANG/ENGINE=SOCK, for example en/piper=/run/piper.sock")
    return language, Path(path)


async def run(chosen: argparse.Namespace, *, listener: Listener | None = None) -> int:
    """Serve the host until drained or alone; returns the exit code. ``listener`` plays the far end of a loopback."""
    host = socket.socket(fileno=chosen.fd)
    reader, writer = await asyncio.open_unix_connection(sock=host, limit=wire.MAX_FRAME_BYTES)
    recognition = RecognizerClient(chosen.recognizer)
    cache = PromptCache(chosen.data / "prompts")
    speakers = [(language, SynthesizerClient(path, cache)) for language, path in chosen.synthesizer]
    journal = Journal(chosen.data / "journal", chosen.name)
    try:
        recorded = Recorded(chosen.spoken)
        engine = create_engine(chosen.engine, engine_options(chosen), listener)
        await engine.start()
    except (LegError, RecordingUnreadable) as error:
        writer.write(wire.encode(wire.Unready(code=error.code, message=str(error))))
        await writer.drain()
        writer.close()
        return CANNOT_START
    equipment = Equipment(
        engine=engine,
        recognition=recognition,
        voice=voices(speakers, recorded),
        journal=journal,
        recordings=Vault(chosen.data / "recordings", chosen.recording_key),
    )
    try:
        recognition.start()
        for _, speaker in speakers:
            speaker.start()
        station = Station(chosen.name, equipment, reader, writer)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, station.drain)
        await station.serve()
    finally:
        await engine.stop()
        await recognition.close()
        for _, speaker in speakers:
            await speaker.close()
        journal.close()
    return 0


def engine_options(chosen: argparse.Namespace) -> EngineOptions:
    """What the engine is told."""
    return EngineOptions(
        bind=chosen.bind,
        port=chosen.port,
        public_address=chosen.public_address,
        rtp_port=chosen.rtp_port,
        rtp_port_range=chosen.rtp_port_range,
        max_calls=chosen.max_calls,
    )


def voices(speakers: Sequence[tuple[str, SynthesizerClient]], recorded: Recorded | None = None) -> Voices:
    """Voices by language, in the order of the command line."""
    served: dict[str, list[SynthesizerClient]] = {}
    for language, speaker in speakers:
        served.setdefault(language, []).append(speaker)
    return Voices(served, recorded)


def main(arguments: Sequence[str] | None = None, *, listener: Listener | None = None) -> int:
    """Run a line process; returns its exit code."""
    chosen = options(sys.argv[1:] if arguments is None else arguments)
    logs.configure(chosen.name, level=chosen.log_level)
    die_with_parent()
    return asyncio.run(run(chosen, listener=listener))


if __name__ == "__main__":
    sys.exit(main())
