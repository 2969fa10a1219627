"""The lint of call flows: refuses what would leave a customer without a way out, uninformed or in a circle.

It reads a parsed flow only; shapes and unknown keys were refused before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from campaigns.flow.document import Flow, FlowError, parse_flow
from campaigns.flow.findings import Finding, Severity, nearest
from campaigns.flow.graph import Graph
from campaigns.flow.model import Step
from campaigns.flow.prompt import Prompt
from campaigns.flow.variables import CALLBACK_TIME, KEY_VARIABLES
from campaigns.understanding.normal import is_unspaced

LEAST_LIMIT, MOST_LIMIT = 1, 4
"""Reprompts that a customer puts up with."""
LONGEST = {False: 320, True: 110}
"""Characters of a prompt that is still short, with and without spaces between words."""
_NOT_SPOKEN = ("values.", "summary", "phrases.")
_OWN_NAMES = {"wording.unsure": {"heard"}, "wording.collect_confirm": {"value"}, "wording.value_confirm": {"value"}}
"""What only these sentences may name."""


def lint(flow: Flow) -> tuple[Finding, ...]:
    """Everything that is wrong with ``flow``, errors first."""
    graph = Graph(flow)
    checks = (
        _ways(flow, graph),
        _circles(flow, graph),
        _way_out(flow, graph),
        _opt_out(flow),
        _identification(flow, graph),
        _variables(flow, graph),
        _languages(flow),
        _limits(flow),
        _voicemail(flow),
        _keys_told(flow),
        _lengths(flow),
        (finding for step in flow.steps.values() for finding in step.check(flow)),
    )
    found = dict.fromkeys(finding for check in checks for finding in check)
    return tuple(sorted(found, key=lambda finding: finding.severity is Severity.WARNING))


def accept_flow(document: dict[str, Any], *, source: str) -> Flow:
    """Read a document and refuse it unless the lint finds no error.

    Raises :class:`FlowError` with all errors; warnings are left to :func:`lint`.
    """
    flow = parse_flow(document, source=source)
    errors = [finding for finding in lint(flow) if finding.severity is Severity.ERROR]
    if errors:
        raise FlowError(errors)
    return flow


def _finding(
    flow: Flow, step: str, code: str, message: str, remedy: str, severity: Severity = Severity.ERROR
) -> Finding:
    return Finding(file=flow.source, step=step, code=code, message=message, remedy=remedy, severity=severity)


def _ways(flow: Flow, graph: Graph) -> Iterator[Finding]:
    """Every way leads to a step that exists, every step goes on, every step is reached and reaches an end."""
    if flow.start not in flow.steps:
        yield _finding(
            flow, "", "unknown_step", f"start names {flow.start!r}, which is no step.", nearest(flow.start, flow.steps)
        )
    for step in flow.steps.values():
        for way in step.exits():
            if not way.to:
                message = f"{way.label} leads nowhere: the conversation would end without a goodbye."
                yield _finding(flow, step.name, "dead_end", message, f"Add {way.label}: the name of a step.")
            elif way.to not in flow.steps:
                message = f"{way.label} names {way.to!r}, which is no step."
                yield _finding(flow, step.name, "unknown_step", message, nearest(way.to, flow.steps))
        if step.name not in graph.reached:
            yield _finding(
                flow,
                step.name,
                "unreachable",
                "No way leads to this step.",
                "Lead one here, or delete it.",
                Severity.WARNING,
            )
        elif graph.returns_to(step.name) and not graph.ends_from(step.name):
            remedy = "Lead one of its ways to a hangup, directly or through other steps."
            yield _finding(flow, step.name, "no_end", "No way from here ends the call.", remedy)


def _circles(flow: Flow, graph: Graph) -> Iterator[Finding]:
    for circle in graph.circles_without_listening():
        message = f"{' -> '.join((*circle, circle[0]))} goes in a circle without listening."
        yield _finding(flow, circle[0], "loop", message, "Put an ask into the circle, or lead one step out of it.")


def _way_out(flow: Flow, graph: Graph) -> Iterator[Finding]:
    """A person, or a callback by one, from every step that listens."""
    if "agent" in flow.anytime or "call_later" in flow.anytime:
        return
    for step in flow.steps.values():
        if step.waits and not any(flow.steps[name].type in {"handoff", "book"} for name in graph.from_step(step.name)):
            remedy = "Add a step of type handoff, or book where nobody can be rung."
            yield _finding(flow, step.name, "no_human", "From here no way leads to a human.", remedy)
    if not any(step.waits for step in flow.steps.values()):
        remedy = "Add a step of type handoff, or book where nobody can be rung."
        yield _finding(flow, "", "no_human", "The flow has no way to a human.", remedy)


def _opt_out(flow: Flow) -> Iterator[Finding]:
    if "opt_out" not in flow.anytime:
        yield _finding(flow, "", "no_opt_out", "The flow cannot take an opt-out.", "Add a step of type opt_out.")
        return
    step = flow.steps[flow.anytime["opt_out"]]
    if getattr(step, "scope", "all") != "all":
        message = "Who says never to call again would only be spared this campaign's purpose."
        remedy = (
            "Take scope away; for one purpose only add a second opt_out step that an answer leads to, "
            "and name the one for everything: anytime: {opt_out: …}."
        )
        yield _finding(flow, step.name, "narrow_opt_out", message, remedy)


def _identification(flow: Flow, graph: Graph) -> Iterator[Finding]:
    """Caller and robot are named before anything else is said or asked."""
    if not any(step.type == "identify" for step in flow.steps.values()):
        remedy = "Begin with a step of type identify that names {{business}} and says it is an automated assistant."
        yield _finding(flow, "", "no_identification", "The flow never says who calls.", remedy)
    else:
        for name in graph.reached_before("identify"):
            step = flow.steps[name]
            if step.waits or step.speaks or any(not key.startswith(_NOT_SPOKEN) for key in step.prompts()):
                remedy = "Lead the conversation through a step of type identify first."
                message = "This step speaks before the customer knows who calls."
                yield _finding(flow, name, "no_identification", message, remedy)


def _variables(flow: Flow, graph: Graph) -> Iterator[Finding]:
    """Every variable exists, and is set on every way to where it is used."""
    always = {*flow.variables, *KEY_VARIABLES}
    known = always | {name for step in flow.steps.values() for name in step.assigns()} | {CALLBACK_TIME}
    for step, key, prompt in _prompts(flow):
        own = {"value"} if step and step.type == "collect" else _OWN_NAMES.get(key, set())
        for name in sorted(prompt.names - own):
            where = step.name if step else ""
            if name not in known:
                message = f"{key} names {{{{{name}}}}}, which nobody sets."
                yield _finding(flow, where, "unknown_variable", message, nearest(name, known))
            elif step and name not in always | graph.assigned_before(step.name) | step.assigns().keys():
                message = f"{key} names {{{{{name}}}}}, which is not set on every way here."
                remedy = "Set it before, or declare it under variables with a default."
                yield _finding(flow, where, "unset_variable", message, remedy)
    if "business" not in flow.variables:
        remedy = "Declare business under variables, with per: campaign."
        yield _finding(flow, "", "unknown_variable", "The built-in sentences name {{business}}.", remedy)


def _languages(flow: Flow) -> Iterator[Finding]:
    for step, key, prompt in _prompts(flow):
        missing = [language for language in flow.languages if language not in prompt.texts]
        if not missing or "*" in prompt.texts or key.startswith("wording"):
            continue
        where = step.name if step else ""
        message = f"{key} is not there in {', '.join(missing)}."
        yield _finding(flow, where, "missing_language", message, "Write it in every language the flow declares.")
    for step in flow.steps.values():
        if step.type in {"identify", "say", "ask", "collect"} and not step.prompts()["say"].texts:
            yield _finding(flow, step.name, "missing_prompt", "say is missing.", "Add say: what is said.")


def _limits(flow: Flow) -> Iterator[Finding]:
    for step in flow.steps.values():
        limit = getattr(step, "limit", LEAST_LIMIT)
        if not LEAST_LIMIT <= limit <= MOST_LIMIT:
            remedy = f"Give a number from {LEAST_LIMIT} to {MOST_LIMIT}."
            yield _finding(flow, step.name, "limit", f"limit is {limit}: nobody wants to be asked so often.", remedy)


def _voicemail(flow: Flow) -> Iterator[Finding]:
    if flow.voicemail is None:
        remedy = "Add voicemail: hangup, or voicemail: {leave: {en: …}}."
        yield _finding(flow, "", "voicemail_missing", "The flow does not say what an answering machine gets.", remedy)
        return
    if flow.voicemail.leave is None:
        return
    for language, template in flow.voicemail.leave.texts.items():
        if "business" not in template.names:
            message = f"voicemail.leave.{language} does not name the business."
            yield _finding(flow, "", "no_identification", message, "Put {{business}} in it.")
        if "callback_number" not in template.names:
            message = f"voicemail.leave.{language} gives no number to call back."
            remedy = (
                "Put {{callback_number | phone}} in it; where the law wants it, a message must offer a way to opt out."
            )
            yield _finding(flow, "", "voicemail_number", message, remedy, Severity.WARNING)


def _keys_told(flow: Flow) -> Iterator[Finding]:
    """The keys that work at any time are told to the customer somewhere."""
    told = {key: flow.keys.taken()[key] for key in flow.keys.taken() if key != flow.keys.language}
    for key, wish in told.items():
        if wish == "agent" and not {"agent", "call_later"} & flow.anytime.keys():
            continue
        for language in flow.languages:
            texts = [p.texts[language] for step, _, p in _prompts(flow) if step and language in p.texts]
            if any(f"key_{wish}" in text.names or key in text.source for text in texts):
                continue
            message = f"No prompt in {language} tells of key {key} ({wish})."
            remedy = f"Say it once, for example in the first ask: {{{{key_{wish}}}}}."
            yield _finding(flow, "", "untold_key", message, remedy)


def _lengths(flow: Flow) -> Iterator[Finding]:
    for step, key, prompt in _prompts(flow):
        for language, template in prompt.texts.items():
            if template.length > LONGEST[is_unspaced(language)] and not key.startswith(_NOT_SPOKEN):
                message = f"{key}.{language} is long: about {template.length} characters."
                where = step.name if step else ""
                yield _finding(flow, where, "long_prompt", message, "Come to the point.", Severity.WARNING)


def _prompts(flow: Flow) -> Iterator[tuple[Step | None, str, Prompt]]:
    for step in flow.steps.values():
        for key, prompt in step.prompts().items():
            yield step, key, prompt
    if flow.voicemail and flow.voicemail.leave:
        yield None, "voicemail.leave", flow.voicemail.leave
    for key, prompt in flow.wordings.items():
        yield None, f"wording.{key}", prompt
    for name, question in flow.faq.items():
        yield None, f"faq.{name}.say", question.say
