"""``outbound hear``: everything a call flow says, rendered by the voices that would say it, on a page to listen to."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from campaigns.flow.filters import Manner
from campaigns.flow.model import Flow
from campaigns.flow.prompt import Prompt
from campaigns.flow.template import TemplateError
from campaigns.flow.wording import WORDINGS
from outbound.callflows import read_flow
from outbound.errors import Invalid
from outbound.yaml_files import load_yaml
from speech.audio import samples, write_wav
from speech.engines import load_synthesizer
from speech.models import ModelStore
from speech.prompts import sentences
from speech.recorded import Recorded
from speech.seams import SpeechError, Synthesizer

_UNSPOKEN = ("values.", "summary", "phrases.")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1c1917; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid #d6d3d1; }
th { font-weight: 600; } code, .voice { color: #57534e; font-size: .85rem; } audio { width: 15rem; height: 2rem; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One prompt as it is heard."""

    where: str
    """Step and key."""
    text: str
    file: str
    voice: str
    seconds: float


def write_page(
    path: Path, values: Mapping[str, str], folder: Path, *, spoken_dir: Path | None = None, now: datetime | None = None
) -> Path:
    """Render the flow in ``path`` into ``folder`` and return its page.

    Raises :class:`Invalid` for a flow that cannot be read, and when no voice speaks one of its languages.
    """
    flow = read_flow(load_yaml(path), source=path.name)
    folder.mkdir(parents=True, exist_ok=True)
    recorded, parts = Recorded(spoken_dir), []
    for language in flow.languages:
        try:
            voice = load_synthesizer("auto", ModelStore(), (language,))
            told = list(_heard(flow, language, values, voice, recorded, folder, now or datetime.now(UTC)))
        except SpeechError as error:
            raise Invalid(f"{language} cannot be spoken here: {error}") from error
        parts.append(_table(language, told))
    page = folder / "index.html"
    title = html.escape(f"{flow.title} ({flow.name})")
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    page.write_text(f"{head}<h1>{title}</h1>{''.join(parts)}</html>\n", encoding="utf-8")
    return page


def _heard(
    flow: Flow,
    language: str,
    values: Mapping[str, str],
    voice: Synthesizer,
    recorded: Recorded,
    folder: Path,
    now: datetime,
) -> Iterator[Spoken]:
    for number, (where, text) in enumerate(_texts(flow, language, values, now)):
        pieces = [recorded.find(one, language) or voice.render(one, language=language) for one in sentences(text)]
        file = f"{language}-{number:03}.wav"
        write_wav(folder / file, samples(b"".join(piece.pcm for piece in pieces)))
        names = ", ".join(dict.fromkeys(piece.voice for piece in pieces))
        seconds = sum(piece.seconds for piece in pieces)
        yield Spoken(where=where, text=text, file=file, voice=names, seconds=seconds)


def _texts(flow: Flow, language: str, values: Mapping[str, str], now: datetime) -> Iterator[tuple[str, str]]:
    """Where and what is said, with examples for what is not known."""
    examples = {name: variable.example or variable.default or name for name, variable in flow.variables.items()}
    saved = {name: name.replace("_", " ") for step in flow.steps.values() for name in step.assigns()}
    keys = {"key_opt_out": flow.keys.opt_out, "key_agent": flow.keys.agent, "key_language": flow.keys.language}
    known = {**saved, "callback_time": now.isoformat(), "heard": "…", "value": "1 2 3", **examples, **keys, **values}
    manner = Manner(language=language, now=now)
    for where, prompt in _prompts(flow):
        template = prompt.template(language)
        if template is None:
            continue
        try:
            text = template.render(known, manner, flow.kinds)
        except TemplateError as error:
            raise Invalid(f"{where}: {error}") from error
        if any(character.isalnum() for character in text):
            yield where, text


def _prompts(flow: Flow) -> Iterator[tuple[str, Prompt]]:
    for step in flow.steps.values():
        for key, prompt in step.prompts().items():
            if not key.startswith(_UNSPOKEN):
                yield f"{step.name}.{key}", prompt
    if flow.voicemail and flow.voicemail.leave:
        yield "voicemail.leave", flow.voicemail.leave
    for name, question in flow.faq.items():
        yield f"faq.{name}", question.say
    for key in WORDINGS:
        yield f"wording.{key}", flow.words(key)


def _table(language: str, told: list[Spoken]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(one.where)}</code></td><td lang={language}>{html.escape(one.text)}</td>"
        f'<td><audio controls preload="none" src="{one.file}" aria-label="{html.escape(one.where)}"></audio>'
        f'<div class="voice">{html.escape(one.voice)}, {one.seconds:.1f} s</div></td></tr>'
        for one in told
    )
    head = "<tr><th>Where</th><th>What is said</th><th>How it sounds</th></tr>"
    return f"<h2>{html.escape(language)}: {len(told)} prompts</h2><table>{head}{rows}</table>"
