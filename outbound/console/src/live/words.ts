// The words, colours and formats of the console. Pure: everything it needs is an argument.
import type { CampaignState, Disposition } from './shapes';

/** Label and colour token (app.css) of each disposition, in the order of a legend. */
export const DISPOSITIONS: Record<Disposition, { label: string; colour: string }> = {
  accepted: { label: 'Accepted', colour: 'green' },
  informed: { label: 'Informed', colour: 'teal' },
  message_left: { label: 'Message left', colour: 'sky' },
  handed_off: { label: 'Talked with a person', colour: 'blue' },
  callback_booked: { label: 'Callback booked', colour: 'violet' },
  declined: { label: 'Declined', colour: 'amber' },
  opted_out: { label: 'Opted out', colour: 'rose' },
  wrong_person: { label: 'Wrong person', colour: 'clay' },
  hung_up: { label: 'Hung up', colour: 'clay' },
  no_response: { label: 'No response', colour: 'clay' },
  machine: { label: 'Answering machine', colour: 'stone' },
  screened: { label: 'Call screened', colour: 'stone' },
  busy: { label: 'Busy', colour: 'stone' },
  no_answer: { label: 'No answer', colour: 'stone' },
  powered_off: { label: 'Switched off', colour: 'stone' },
  unreachable: { label: 'Unreachable', colour: 'stone' },
  suspended: { label: 'Line suspended', colour: 'red' },
  rejected: { label: 'Rejected', colour: 'stone' },
  blocked: { label: 'Blocked', colour: 'red' },
  invalid_number: { label: 'Invalid number', colour: 'red' },
  redirected: { label: 'Number moved', colour: 'red' },
  no_media: { label: 'No audio', colour: 'red' },
  congestion: { label: 'Network congested', colour: 'red' },
  failed: { label: 'Failed', colour: 'red' },
  undetermined: { label: 'Undetermined', colour: 'red' },
  refused: { label: 'Not allowed', colour: 'fog' },
  cancelled: { label: 'Cancelled', colour: 'fog' },
  expired: { label: 'Expired', colour: 'fog' },
};

/** Dispositions of attempts that somebody or something answered. */
export const REACHED: ReadonlySet<Disposition> = new Set<Disposition>([
  'accepted', 'declined', 'informed', 'opted_out', 'handed_off', 'callback_booked', 'wrong_person', 'no_response',
  'hung_up', 'message_left', 'machine', 'screened', 'no_media',
]);

/** Dispositions of attempts for which nobody was rung. */
export const NOT_SENT: ReadonlySet<Disposition> = new Set<Disposition>(['refused', 'cancelled', 'expired']);

export const CAMPAIGN_STATES: Record<CampaignState, string> = {
  draft: 'Draft',
  running: 'Running',
  paused: 'Paused',
  completed: 'Completed',
  cancelled: 'Cancelled',
};

/** `will_be_home` as people read it: "Will be home". */
export function readable(word: string): string {
  const text = word.replaceAll('_', ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Who or what ended a call. */
export function causeLabel(cause: string): string {
  const known: Record<string, string> = {
    peer_bye: 'The customer hung up',
    our_bye: 'The robot hung up',
    line_lost: 'A line process was lost',
    no_media: 'No audio came',
  };
  const code = /^sip_(\d{3})$/.exec(cause)?.[1];
  return known[cause] ?? (code ? `SIP ${code}` : readable(cause));
}

/** The tag beside a customer's words; empty when nothing was understood. */
export function intentLabel(intent: unknown): string {
  if (typeof intent !== 'string' || intent === '' || intent.startsWith('digit:')) return '';
  return intent.replaceAll('_', ' ');
}

/** Seconds as `m:ss`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Seconds with two digits, as measured: `0.64 s`. */
export const exact = (seconds: number): string => `${seconds.toFixed(2)} s`;

export function timeOfDay(instant: string | null): string {
  return instant === null ? '' : new Date(instant).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

export function dateAndTime(instant: string | null): string {
  return instant === null ? '–' : new Date(instant).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count.toLocaleString()} ${count === 1 ? one : many}`;
