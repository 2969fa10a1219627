"""The call flow that the calls of these tests follow, with short words, since the scripted voice is slow."""

from __future__ import annotations

from typing import Any

import yaml

DELIVERY: dict[str, Any] = yaml.safe_load("""
name: delivery
title: Parcel
languages: [en]
variables:
  business: {per: campaign}
  day: {}
voicemail:
  leave: {en: "Parcel from {{business}} on {{day}}."}
steps:
  hello:
    type: identify
    say: {en: "Robot of {{business}}."}
    then: question
  question:
    type: ask
    say: {en: "Parcel {{day}}. At home? Yes or no."}
    limit: 1
    timeout_s: 4
    answers:
      "yes": {key: "1", then: fine, settle: accepted, outcome: at_home}
      "no": {key: "2", then: fine, settle: declined, outcome: not_at_home}
    otherwise: silent
  fine:
    type: hangup
    say: {en: "Thanks. Goodbye."}
  silent:
    type: hangup
    say: {en: "Goodbye."}
    disposition: no_response
  person:
    type: handoff
    say: {en: "One moment."}
    sorry: {en: "Nobody is free."}
    summary: "{{business}}, {{day}}"
    otherwise: later
  later:
    type: book
    say: {en: "When?"}
    confirm: {en: "Noted. Goodbye."}
  never:
    type: opt_out
    say: {en: "Never again."}
""")

CHANGE: dict[str, Any] = yaml.safe_load("""
name: change
title: Another day
languages: [en]
variables:
  business: {per: campaign}
  day: {}
steps:
  hello:
    type: identify
    say: {en: "Robot of {{business}}."}
    then: question
  question:
    type: ask
    say: {en: "Friday instead? Yes or no."}
    timeout_s: 4
    answers:
      "yes": {key: "1", then: change}
      "no": {key: "2", then: bye}
    otherwise: bye
  change:
    type: request
    system: parcels
    operation: change_day
    send: {day: Friday}
    save: {slot: slot}
    deadline_s: 10
    answers:
      ok: {then: changed, settle: accepted, outcome: changed}
    otherwise: person
  changed:
    type: hangup
    say: {en: "Changed to {{slot}}. Goodbye."}
  bye:
    type: hangup
    say: {en: "Goodbye."}
  person:
    type: handoff
    say: {en: "Connecting."}
    sorry: {en: "Nobody is free."}
    otherwise: bye
  later: {type: book, say: {en: "When?"}, confirm: {en: "Noted."}}
  never: {type: opt_out, say: {en: "Never again."}}
""")
"""A flow that asks a system of the business."""

NOTICE: dict[str, Any] = yaml.safe_load("""
name: notice
title: Notice
languages: [en]
variables:
  business: {per: campaign}
steps:
  hello:
    type: identify
    say: {en: "Robot of {{business}}."}
    then: news
  news:
    type: say
    say: {en: "Your parcel comes tomorrow morning."}
    settle: informed
    then: bye
  bye:
    type: hangup
    say: {en: "Goodbye."}
  person: {type: handoff, otherwise: bye}
  never: {type: opt_out}
""")

VARIABLES = {"business": "Acme", "day": "Monday"}
