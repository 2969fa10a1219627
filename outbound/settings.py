"""Settings: one frozen object from ``OUTBOUND_*``; start-up fails naming every bad key.

Reads nothing but the environment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dialer.vault import Vault
from outbound.errors import ConfigurationError
from outbound.webhooks.targets import PrivateTargets


def _absolute(path: Path) -> Path:
    """Child processes have working directories of their own."""
    return path.expanduser().resolve()


def _absolute_or_none(path: Path | None) -> Path | None:
    return None if path is None else _absolute(path)


def _private_targets(text: str) -> str:
    """What cannot be read is found out at the start, not by the first webhook."""
    PrivateTargets.read(text)
    return text


def _collector(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", url):
        raise ValueError("it is no address such as http://127.0.0.1:4318")
    return url


class Settings(BaseSettings):
    """Everything an operator may set; the description of each field is the README's table."""

    model_config = SettingsConfigDict(env_prefix="OUTBOUND_", frozen=True, extra="ignore", validate_default=True)

    data_dir: Annotated[
        Path, AfterValidator(_absolute), Field(description="Where the database, recordings, prompts and journals live.")
    ] = Path("data")
    host: Annotated[str, Field(description="Address the REST API and console listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port of the REST API and console; 0 takes a free one.")] = (
        8077
    )
    metrics_port: Annotated[
        int | None,
        Field(
            ge=0,
            le=65535,
            description="Port for /metrics, /livez and /readyz alone, for hosts without REST; 0 takes a free one.",
        ),
    ] = None
    otlp_endpoint: Annotated[
        str,
        AfterValidator(_collector),
        Field(description="`http://…` of an OpenTelemetry collector (OTLP over HTTP); empty: no traces."),
    ] = ""
    database_url: Annotated[
        str, Field(description="`sqlite:///…` or `postgresql+psycopg://…`; empty: SQLite below data_dir.")
    ] = ""
    redis_url: Annotated[
        str,
        Field(description="`redis://…` or `unix://…` of a Redis or Valkey; empty: an embedded Valkey below data_dir."),
    ] = ""
    lines: Annotated[
        int, Field(ge=0, le=64, description="Line processes; each takes as many legs as its engine allows.")
    ] = 2
    engine: Annotated[Literal["pjsua2", "loopback"], Field(description="SIP engine of the line processes.")] = "pjsua2"
    sip_bind: Annotated[str, Field(description="Address that SIP and RTP sockets of the line processes bind to.")] = (
        "127.0.0.1"
    )
    recognizers: Annotated[int, Field(ge=1, le=16, description="Recogniser workers; about one per core.")] = 1
    recognizer: Annotated[
        str,
        Field(description="`auto` (Vosk where a model is on disk, else Whisper), `vosk`, `whisper` or `scripted`."),
    ] = "auto"
    synthesizer: Annotated[
        str, Field(description="Voice: `auto` (Piper for English, else eSpeak NG), `piper`, `pyttsx3`, `scripted`.")
    ] = "auto"
    languages: Annotated[str, Field(description="Languages whose engines are started, comma-separated.")] = "en"
    models_dir: Annotated[
        Path | None, Field(description="Where recogniser and voice models of your own are looked for.")
    ] = None
    spoken_dir: Annotated[
        Path | None,
        AfterValidator(_absolute_or_none),
        Field(description="Folder of sentences that people spoke, used instead of synthesis (docs/voices.md)."),
    ] = None
    recording_key: Annotated[
        Path | None,
        AfterValidator(_absolute_or_none),
        Field(description="File of the key that seals recordings; `recordings.key` below data_dir, made when missing."),
    ] = None
    recording_days: Annotated[
        int, Field(ge=1, le=3650, description="Recordings are deleted when they are so many days old.")
    ] = 90
    max_calls_per_second: Annotated[
        float, Field(gt=0, le=100, description="New calls a second over all trunks, whatever the trunks allow.")
    ] = 10.0
    send_window_s: Annotated[
        float,
        Field(
            gt=0, le=10, description="An INVITE leaves within this long after its intent was recorded, or not at all."
        ),
    ] = 1.0
    drain_timeout_s: Annotated[
        float, Field(ge=0, le=600, description="How long a graceful stop waits for calls in progress.")
    ] = 30.0
    webhook_private_targets: Annotated[
        str,
        AfterValidator(_private_targets),
        Field(
            description="Private addresses that webhooks may be posted to and systems asked at, also over http: "
            "`false` (none), `true` (any) or networks, comma-separated (`10.1.0.0/16,fd00::/8`)."
        ),
    ] = "false"
    llm_url: Annotated[
        str,
        Field(
            description="Base address of an OpenAI-compatible model that is asked about words in which nothing was "
            "understood, such as `http://127.0.0.1:8080/v1`; empty: none is, and nothing leaves the machine."
        ),
    ] = ""
    llm_model: Annotated[str, Field(description="Its name there.")] = ""
    llm_key: Annotated[str, Field(repr=False, description="Its API key, where it wants one.")] = ""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Least severe log level.")] = (
        "info"
    )

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'outbound.db'}"

    @property
    def recordings_dir(self) -> Path:
        """Where recordings are kept."""
        return self.data_dir / "recordings"

    @property
    def vault(self) -> Vault:
        """The recordings."""
        return Vault(self.recordings_dir, self.recording_key)


def load_settings(**overrides: object) -> Settings:
    """Read the settings. Raises :class:`ConfigurationError` that names every bad key."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        bad = "; ".join(
            f"OUTBOUND_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in error.errors()
        )
        raise ConfigurationError(f"settings are wrong: {bad}") from error
