// Turns the events of one call into what its card shows. Pure: reads no clock and asks no server.
import type { Attempt, AttemptDetail, Disposition, TimelineEntry } from './shapes';
import { intentLabel } from './words';

export interface Line {
  id: number;
  who: 'robot' | 'customer' | 'note';
  text: string;
  /** What the robot could not say because the customer cut in. */
  unsaid: string;
  interrupted: boolean;
  pressed: boolean;
  tag: string;
}

export type Phase = 'dialing' | 'ringing' | 'talking' | 'handoff' | 'ended';

export interface LiveCall {
  attemptId: string;
  campaignId: string;
  campaign: string;
  name: string;
  number: string;
  ordinal: number;
  phase: Phase;
  step: string;
  dialedAt: number;
  answeredAt: number | null;
  endedAt: number | null;
  disposition: Disposition | null;
  outcome: string;
  lines: Line[];
  /** Words the customer is saying now. */
  partial: string;
  lastEvent: number;
}

export function newCall(attempt: Pick<Attempt, 'id' | 'campaign_id' | 'campaign' | 'name' | 'number' | 'ordinal'>, dialedAt: number): LiveCall {
  return {
    attemptId: attempt.id,
    campaignId: attempt.campaign_id,
    campaign: attempt.campaign,
    name: attempt.name,
    number: attempt.number,
    ordinal: attempt.ordinal,
    phase: 'dialing',
    step: '',
    dialedAt,
    answeredAt: null,
    endedAt: null,
    disposition: null,
    outcome: '',
    lines: [],
    partial: '',
    lastEvent: 0,
  };
}

/** Rebuild a call that was under way before this page was opened. */
export function callOf(detail: AttemptDetail): LiveCall {
  const call = newCall(detail, Date.parse(detail.dialed_at ?? detail.due_at));
  if (detail.answered_at) call.answeredAt = Date.parse(detail.answered_at);
  call.step = detail.step;
  for (const entry of detail.timeline) applyEvent(call, entry);
  return call;
}

/** Change `call` by one event; events that it has already seen change nothing. */
export function applyEvent(call: LiveCall, event: TimelineEntry): void {
  if (event.id <= call.lastEvent || !event.kind.startsWith('call.')) return;
  call.lastEvent = event.id;
  const words = (key: string): string => String(event.data[key] ?? '');
  const add = (who: Line['who'], text: string, more: Partial<Line> = {}): void => {
    call.lines.push({ id: event.id, who, text, unsaid: '', interrupted: false, pressed: false, tag: '', ...more });
  };
  switch (event.kind.slice('call.'.length)) {
    case 'ringing':
      call.phase = 'ringing';
      break;
    case 'answered':
      call.phase = 'talking';
      call.answeredAt = Date.parse(event.at);
      break;
    case 'step':
      call.step = words('step');
      break;
    case 'said':
      add('robot', words('text'));
      break;
    case 'interrupted':
      interrupt(call, words('text'), words('heard_text'));
      break;
    case 'hearing':
      call.partial = words('text');
      break;
    case 'heard':
      call.partial = '';
      if (words('text')) add('customer', words('text'), { tag: intentLabel(event.data['intent']) });
      else add('note', 'Said something that could not be made out');
      break;
    case 'digits':
      add('customer', words('digits'), { pressed: true, tag: intentLabel(event.data['intent']) });
      break;
    case 'opt_out':
      add('note', 'Opt-out stored: will not be called again');
      break;
    case 'callback':
      add('note', event.data['at'] ? 'Callback recorded' : 'Wish for a callback recorded');
      break;
    case 'machine':
      add('note', 'An answering machine answered');
      break;
    case 'handoff':
      handOff(call, words('state'), add);
      break;
    case 'problem':
      add('note', `Problem: ${words('message')}`);
      break;
    case 'ended':
      call.phase = 'ended';
      call.partial = '';
      call.endedAt = Date.parse(event.at);
      break;
  }
}

function interrupt(call: LiveCall, text: string, heard: string): void {
  const line = call.lines.findLast((candidate) => candidate.who === 'robot' && candidate.text === text);
  if (!line) return;
  line.interrupted = true;
  if (text.startsWith(heard)) {
    line.text = heard;
    line.unsaid = text.slice(heard.length);
  }
}

function handOff(call: LiveCall, state: string, add: (who: Line['who'], text: string) => void): void {
  const notes: Record<string, string> = {
    ringing: 'Ringing a person',
    connected: 'Connected with a person',
    failed: 'Nobody could take the call',
    ended: 'The person has left the call',
  };
  call.phase = state === 'ringing' || state === 'connected' ? 'handoff' : 'talking';
  if (notes[state]) add('note', notes[state]);
}
