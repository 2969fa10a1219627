"""Writes evidence as one self-contained page for people: nothing is fetched, everything foreign is escaped.

What it says is in wording.py; which receipts it shows is decided by who calls it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from outbound.api.receipt_models import CampaignEvidence, ChainDay, KeptReceipt, NumberEvidence, RegisterState
from outbound.receipts.wording import UTC_ONLY, decided, done, moment, told, zones_of

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #999}
article{margin:1rem 0;padding:.5rem .8rem;border-left:4px solid #888;break-inside:avoid}
article.no{border-color:#a00}article.yes{border-color:#070}.broken{color:#a00;font-weight:600}
p{margin:.3rem 0}small,.hash{color:#444;font-size:.8rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .5rem;border-bottom:1px solid #ccc}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.75rem;background:#f4f4f4;padding:.4rem}
@media print{body{margin:0;max-width:none;font-size:11pt}}
"""
HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
CHECK = "Anybody can check this chain: every hash follows from the one before it and from what is shown here."


def number_page(found: NumberEvidence) -> str:
    """The page of a number."""
    places = {item.contact_id: item.zones for item in found.contacts}
    usual = next(iter(places.values()), UTC_ONLY) or UTC_ONLY
    parts = [
        _paragraph(f"Made on {moment(found.made_at)}, from the records of the service."),
        *(
            _paragraph(f"This person was erased on {moment(item.at)}; what was personal is gone.")
            for item in found.erasures
        ),
        _section("Campaigns", (_paragraph(_where(item.campaign, item.purpose, item.zones)) for item in found.contacts)),
        _section(
            "What this person told us",
            (_statement(told(item, usual), item.words, item.proof) for item in found.statements),
        ),
        _section("What was decided", (_receipt(item, places) for item in found.receipts)),
        _section(
            "What was done", (_paragraph(done(item, places.get(item.contact_id) or usual)) for item in found.attempts)
        ),
        _registers(found.registers),
        _chain(found.chain),
    ]
    if not found.complete:
        parts.insert(1, _paragraph(f"These are the newest {len(found.receipts)} decisions; there are earlier ones."))
    return _page(f"Evidence for {found.number}", parts)


def campaign_page(found: CampaignEvidence, newest: Sequence[KeptReceipt]) -> str:
    """The page of a campaign: counts by rule, and its ``newest`` receipts."""
    rows = [
        (f"{item.receipts:,}", "permitted" if item.allowed else "refused", item.code, item.rule, item.source)
        for item in found.counts
    ]
    about = f"{found.name} ({found.purpose}, {found.state}): {found.contacts:,} contacts, {found.receipts:,} decisions."
    note = f"The newest {len(newest):,} of {found.receipts:,}; all of them are in the JSON form of this evidence."
    parts = [
        _paragraph(f"Made on {moment(found.made_at)}, from the records of the service."),
        _paragraph(about),
        _section(
            "Decisions by rule", [_table(("Decisions", "Answer", "Code", "Rule", "Source"), rows)] if rows else []
        ),
        _section(
            "What was decided",
            [*([_paragraph(note)] if len(newest) < found.receipts else []), *(_receipt(item, {}) for item in newest)],
        ),
        _registers(found.registers),
        _chain(found.chain),
    ]
    return _page(f"Evidence for campaign {found.id}", parts)


def _page(title: str, parts: Iterable[str]) -> str:
    head = f"{HEAD}<title>{escape(title)}</title><style>{STYLE}</style></head>"
    return "\n".join((f"{head}<body><h1>{escape(title)}</h1>", *parts, "</body></html>\n"))


def _section(title: str, items: Iterable[str]) -> str:
    return f"<h2>{escape(title)}</h2>\n" + ("\n".join(items) or _paragraph("Nothing."))


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _small(text: str) -> str:
    return f"<p><small>{escape(text)}</small></p>"


def _where(campaign: str, purpose: str, zones: Sequence[str]) -> str:
    return f"{campaign} ({purpose}), in the time zones {', '.join(zones) or 'unknown'}."


def _statement(sentence: str, words: str, proof: str) -> str:
    more = [_small(f"Words: {words}")] if words else []
    more += [_small(f"Proof: {proof}")] if proof else []
    return f"<article>{_paragraph(sentence)}{''.join(more)}</article>"


def _receipt(receipt: KeptReceipt, places: Mapping[str, Sequence[str]]) -> str:
    zones = zones_of(receipt, places)
    lines = [_paragraph(decided(receipt, zones)), _small(f"Rule {receipt.rule}. {receipt.source}")]
    if receipt.next_at is not None and not receipt.allowed:
        lines.append(_small(f"Next permitted: {moment(receipt.next_at, zones)}."))
    if receipt.hash:
        lines.append(f'<p class="hash">Receipt {escape(str(receipt.day))} #{receipt.seq}, hash {receipt.hash}</p>')
    else:
        lines.append(_small(f"Receipt {receipt.id}, from before receipts were chained."))
    if receipt.hash and receipt.personal is None:
        lines.append(_small("The person was erased; the receipt still proves what was decided."))
    shown = json.dumps({"purpose": receipt.purpose, "code": receipt.code} | receipt.evidence, ensure_ascii=False)
    lines.append(f"<details><summary>What the decision rested on</summary><pre>{escape(shown)}</pre></details>")
    return f'<article class="{"yes" if receipt.allowed else "no"}">{"".join(lines)}</article>'


def _registers(found: Sequence[RegisterState]) -> str:
    rows = [
        (item.name, item.kind, moment(item.as_of) if item.as_of else "never loaded", f"{item.entries:,}")
        for item in found
    ]
    table = [_table(("Register", "Kind", "As of", "Numbers"), rows)] if rows else []
    return _section("Do-not-call registers, as they are now", table)


def _chain(days: Sequence[ChainDay]) -> str:
    items = [_paragraph(CHECK)] if days else []
    for day in days:
        verdict = {
            "unbroken": "verified, unbroken",
            "broken": "BROKEN",
            "unchecked": "not verified here; `outbound receipts verify` does",
        }[day.state]
        mark = ' class="broken"' if day.state == "broken" else ""
        items.append(f"<p{mark}>{escape(day.day)}: {day.count:,} receipts, {escape(verdict)}</p>")
        items.append(f'<p class="hash">Head {escape(day.head)}</p>')
        items += [
            f'<p class="broken">{escape(f"#{item.seq}: " if item.seq else "")}{escape(item.what)}</p>'
            for item in day.findings[:20]
        ]
    return _section("The chain of receipts", items)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{lines}</table>"
