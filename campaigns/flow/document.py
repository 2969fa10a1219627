"""The document of a call flow, as loaded from YAML, read into a :class:`Flow` and checked for shape.

It does not judge whether the conversation makes sense (that is the lint's) and reads no files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaigns.flow.findings import Finding, FlowError, nearest
from campaigns.flow.model import Context, Exit, Faq, Flow, Keys, Step, Voicemail
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import IDENTIFIER, Reader, plain
from campaigns.flow.registry import step_class, step_types
from campaigns.flow.variables import CALLBACK_TIME, KEY_VARIABLES, Variable, parse_variable
from campaigns.flow.wording import WORDINGS
from campaigns.understanding.vocabulary import languages as understood_languages

__all__ = ["Context", "Exit", "Finding", "Flow", "FlowError", "Keys", "Step", "Variable", "Voicemail", "parse_flow"]

ANYTIME_TYPES = {"agent": "handoff", "call_later": "book", "opt_out": "opt_out"}
"""What a customer may ask for at any time -> the type of step that serves it."""


def parse_flow(document: dict[str, Any], *, source: str) -> Flow:
    """Read a document, as loaded from YAML. Raises :class:`FlowError` with everything that is wrong with its shape."""
    tags = document.get("languages") if isinstance(document, dict) else None
    languages = tuple(str(plain(tag)) for tag in tags) if isinstance(tags, list) and tags else ("en",)
    reader = Reader(document, file=source, step="", languages=languages)
    reader.take("languages")
    for tag in languages:
        if tag not in understood_languages():
            reader.wrong("unknown_language", f"No language {tag!r} is known.", nearest(tag, understood_languages()))
    variables = {name: parse_variable(name, entry) for name, entry in reader.entries("variables")}
    steps = _steps(reader)
    flow = Flow(
        name=reader.identifier("name") or _unnamed(reader),
        title=reader.text("title"),
        source=source,
        languages=languages,
        variables=variables,
        start=reader.text("start", next(iter(steps), "")),
        steps=steps,
        anytime=_anytime(reader, steps),
        keys=_keys(reader),
        voicemail=_voicemail(reader),
        wordings=_wordings(reader),
        faq=_faq(reader),
        kinds=_kinds(variables, steps),
    )
    reader.take("description")
    reader.done()
    if reader.findings:
        raise FlowError(reader.findings)
    return flow


def _unnamed(reader: Reader) -> str:
    reader.wrong("missing", "name is missing.", "Add name, in lower case.")
    return "unnamed"


def _steps(reader: Reader) -> dict[str, Step]:
    steps: dict[str, Step] = {}
    for name, entry in reader.entries("steps"):
        entry.step, entry.at = name, ""
        if not IDENTIFIER.fullmatch(name):
            entry.wrong(
                "bad_name", f"A step cannot be called {name!r}.", "Use a-z, 0-9 and _, beginning with a letter."
            )
        kind = entry.text("type", required=True)
        if kind not in step_types():
            if kind:
                entry.wrong("unknown_type", f"There is no step type {kind!r}.", nearest(kind, step_types()))
            continue
        steps[name] = step_class(kind).parse(entry, name)
        entry.done()
    if not steps and not reader.findings:
        reader.wrong("missing", "The flow has no steps.", "Add steps: {name: {type: …}}.")
    return steps


def _anytime(reader: Reader, steps: Mapping[str, Step]) -> dict[str, str]:
    """Which step serves what may be asked for at any time: the one named, else the only one of its type."""
    inside = reader.inside("anytime")
    found: dict[str, str] = {}
    for wish, kind in ANYTIME_TYPES.items():
        named = inside.text(wish) if inside else ""
        candidates = [step.name for step in steps.values() if step.type == kind]
        if inside and named and named not in candidates:
            inside.wrong("unknown_step", f"anytime.{wish} names {named!r}.", f"It must be a step of type {kind}.")
        elif named or len(candidates) == 1:
            found[wish] = named or candidates[0]
        elif candidates:
            message = f"There are {len(candidates)} steps of type {kind}: {', '.join(candidates)}."
            reader.wrong("ambiguous_anytime", message, f"Say which one serves at any time: anytime: {{{wish}: …}}.")
    if inside:
        inside.done()
    return found


def _keys(reader: Reader) -> Keys:
    inside = reader.inside("keys")
    if inside is None:
        return Keys()
    keys = Keys(
        opt_out=inside.key_press("opt_out", "9"),
        agent=inside.key_press("agent", "0"),
        language=inside.key_press("language"),
    )
    inside.done()
    return keys


def _voicemail(reader: Reader) -> Voicemail | None:
    value = reader.take("voicemail")
    if value is None or value == "hangup":
        return None if value is None else Voicemail()
    if not isinstance(value, Mapping):
        reader.wrong("voicemail", f"voicemail is {value!r}.", "Write hangup, or leave: {en: …}.")
        return None
    inside = reader.inside("voicemail")
    assert inside is not None
    leave = inside.prompt("leave")
    inside.done()
    return Voicemail(leave=leave) if leave else None


def _wordings(reader: Reader) -> dict[str, Prompt]:
    inside = reader.inside("wording")
    if inside is None:
        return {}
    found = {key: prompt for key in WORDINGS if (prompt := inside.prompt(key)) is not None}
    inside.done()
    return found


def _faq(reader: Reader) -> dict[str, Faq]:
    found = {}
    for name, entry in reader.entries("faq"):
        if not IDENTIFIER.fullmatch(name):
            entry.wrong("bad_name", f"A question cannot be called {name!r}.", "Use a-z, 0-9 and _.")
        inside, say = entry.inside("ask"), entry.prompt("say")
        asks = {language: inside.words(language) for language in reader.languages} if inside else {}
        if inside:
            inside.done()
        if say is None or not all(asks.get(language) for language in reader.languages):
            remedy = "Write ask: {en: [how it is asked, …]} and say: {en: the answer} in every language of the flow."
            entry.wrong("faq_incomplete", f"faq.{name} lacks how it is asked, or its answer.", remedy)
            continue
        found[name] = Faq(ask=asks, say=say)
        entry.done()
    return found


def _kinds(variables: Mapping[str, Variable], steps: Mapping[str, Step]) -> dict[str, str]:
    kinds = {name: variable.kind for name, variable in variables.items()}
    for step in steps.values():
        kinds |= {name: kind for name, kind in step.assigns().items() if name not in kinds}
    return kinds | dict.fromkeys(KEY_VARIABLES, "text") | {CALLBACK_TIME: "moment"}
