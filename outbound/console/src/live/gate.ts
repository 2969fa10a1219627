// Says in words what the gate answers and what it was shown. Pure: reads no clock and asks no server.
import type { Decision, Evidence, Receipt, Said } from './shapes';
import { DISPOSITIONS, readable } from './words';

/** How sure a rule's source is. */
const MARKS: Record<string, string> = {
  V: 'read in the statute or an official text',
  S: 'from a secondary source',
  M: 'from memory, not checked',
  H: 'a rule of the house, not of the law',
};

/** Why the gate refuses, said of customers. */
const NEVER: Record<string, string> = {
  opted_out: 'opted out',
  zone_unknown: 'time zone not known',
  rules_unknown: 'no rules known',
  banned: 'forbidden by law',
  consent_missing: 'consent missing',
  register_missing: 'do-not-call register not loaded',
  register_stale: 'do-not-call register out of date',
  registered: 'on a do-not-call register',
  refused_before: 'refused before',
  expired: 'too late for the campaign',
  budget_spent: 'budget spent',
};

export const CHANNELS: Record<string, string> = { voice: 'Call', sms: 'Text message' };
export const PURPOSES = ['informational', 'transactional', 'marketing', 'emergency'] as const;

/** The answer in two or three words. `now`: it was asked about now. */
export function verdict(answer: Decision, now: boolean): string {
  if (answer.allowed) return answer.channel === 'sms' ? 'Yes, we may text' : 'Yes, we may call';
  if (answer.next_at) return now ? 'Not now' : 'Not then';
  return answer.curable ? 'Not until something is supplied' : 'Never, as things stand';
}

/** A reason as a sentence. */
export function sentence(reason: string): string {
  return reason && `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}

export const neverWords = (code: string): string => NEVER[code] ?? readable(code).toLowerCase();

/** The deciding rule: `night` of a pack, with its version; the packs when all of them agree. */
export function ruleWords(rule: string, titles: ReadonlyMap<string, string>): string {
  const [, pack = '', version, name] = /^([^@]+)@([^#,]+)#(.+)$/.exec(rule) ?? [];
  if (name) return `“${name}” in ${titles.get(pack) ?? pack}, version ${version}`;
  if (rule.includes('@')) return 'None forbids it';
  if (rule === 'campaign') return 'The campaign’s own terms';
  if (rule === 'house') return 'A rule of the house';
  return rule.startsWith('opt-out ') ? `The customer’s own ${rule}` : readable(rule);
}

/** Where a rule is written, and how sure that is. */
export function sourceWords({ source, mark }: Pick<Receipt, 'source' | 'mark'>): string[] {
  return [source ?? '', mark ? `${mark}: ${MARKS[mark] ?? mark}` : ''].filter(Boolean);
}

/** Packs by their titles; those of one version stand together. */
export function packsWords(packs: readonly string[], titles: ReadonlyMap<string, string>): string[] {
  const found = new Map<string, string[]>();
  for (const pack of packs) {
    const [name = '', version = ''] = pack.split('@');
    found.set(version, [...(found.get(version) ?? []), titles.get(name) ?? name]);
  }
  return [...found].map(([version, names]) => `${names.join(' · ')}, version ${version}`);
}

/** `GB` as "United Kingdom (GB)". */
export function jurisdictionWords(code: string): string {
  if (code.endsWith('-?')) return 'state not known';
  if (!/^[A-Z]{2}$/.test(code)) return code;
  const name = new Intl.DisplayNames('en', { type: 'region' }).of(code);
  return name && name !== code ? `${name} (${code})` : code;
}

export interface Clock {
  /** Zones whose clocks show the same. */
  zones: string[];
  shows: string;
}

/** What the clocks of `zones` show at an instant; zones whose clocks agree stand together. */
export function clocks(instant: string, zones: readonly string[]): Clock[] {
  const found = new Map<string, string[]>();
  for (const zone of zones) {
    const shows = onClock(instant, zone);
    found.set(shows, [...(found.get(shows) ?? []), zone]);
  }
  return [...found].map(([shows, together]) => ({ shows, zones: together }));
}

/** An instant on the clocks of a zone, the operator's when none is given; seconds only where there are some. */
export function onClock(instant: string, zone?: string): string {
  const at = new Date(instant);
  const second = at.getUTCSeconds() ? ({ second: '2-digit' } as const) : {};
  const shape = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' } as const;
  try {
    return at.toLocaleString([], { ...shape, ...second, ...(zone ? { timeZone: zone } : {}) });
  } catch {
    // The server's zone data may be newer than the browser's.
    return `${at.toLocaleString([], { ...shape, ...second, timeZone: 'UTC' })} UTC`;
  }
}

/** `America/New_York` as "New York". */
export const place = (zone: string): string => zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' ');

/** What the gate was shown, by what it is; what people ask for first is there even when there is none. */
export function evidenceWords({ evidence, allowed }: Pick<Receipt, 'evidence' | 'allowed'>): { name: string; items: string[] }[] {
  const always = new Set(['Opt-outs', 'Earlier attempts', 'Consent']);
  const all: [string, string[] | undefined][] = [
    // What allowed it had looked at them.
    ['Opt-outs', evidence.opt_outs?.map((one) => (allowed ? `${saidWords(one)}, which does not bar this` : saidWords(one)))],
    ['Opt-ins', evidence.opt_ins?.map(saidWords)],
    ['Earlier attempts', evidence.history?.map(attemptWords).reverse()],
    ['Consent', evidence.consents?.map(consentWords)],
    ['Consent taken back', evidence.withdrawals?.map(saidWords)],
    ['Refusals', evidence.refusals?.map(saidWords)],
    ['Do-not-call registers', Object.entries(evidence.registers ?? {}).map(registerWords)],
    ['Lists of the house', evidence.house_lists],
  ];
  return all
    .map(([name, items]) => ({ name, items: items ?? [], told: items !== undefined }))
    .filter(({ name, items, told }) => items.length > 0 || (told && always.has(name)));
}

function attemptWords({ at, channel, purpose, outcome }: Evidence['history'][number]): string {
  const came = DISPOSITIONS[outcome as keyof typeof DISPOSITIONS]?.label ?? readable(outcome);
  return [instantOf(at), CHANNELS[channel] ?? channel, purpose, came].filter(Boolean).join(' · ');
}

function consentWords({ kind, proven, until, ...said }: Evidence['consents'][number]): string {
  const proof = proven ? 'with proof' : 'as the import claims, without proof';
  return [readable(kind), saidWords(said), proof, until ? `until ${instantOf(until)}` : ''].filter(Boolean).join(' · ');
}

/** When it was said, and of what. */
function saidWords({ at, scope, channel, campaign }: Said): string {
  const when = at > 0 ? instantOf(at) : 'long ago';
  const what = scope === 'all' ? 'for everything' : `for ${scope}`;
  return [when, what, channel ? (CHANNELS[channel] ?? channel) : '', campaign ? 'one campaign only' : ''].filter(Boolean).join(' · ');
}

function registerWords([name, { as_of, listed }]: [string, { as_of: number | null; listed: boolean }]): string {
  if (as_of === null) return `${name}: never loaded`;
  return `${name}: ${listed ? 'the number is on it' : 'the number is not on it'}, list of ${instantOf(as_of)}`;
}

const instantOf = (seconds: number): string => onClock(new Date(Math.floor(seconds) * 1000).toISOString());
