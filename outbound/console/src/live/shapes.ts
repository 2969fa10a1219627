// The shapes of REST version 1 that the console reads; outbound/api/models.py and gate_models.py are their source. Holds no
// behaviour.

export type Disposition =
  | 'accepted' | 'declined' | 'informed' | 'opted_out' | 'handed_off' | 'callback_booked' | 'wrong_person'
  | 'no_response' | 'hung_up' | 'message_left' | 'machine' | 'screened' | 'busy' | 'no_answer'
  | 'powered_off' | 'unreachable' | 'suspended' | 'rejected' | 'blocked'
  | 'invalid_number' | 'redirected' | 'no_media' | 'congestion' | 'failed' | 'refused' | 'cancelled' | 'expired'
  | 'undetermined';

export type CampaignState = 'draft' | 'running' | 'paused' | 'completed' | 'cancelled';

export interface CampaignCounts {
  contacts: number;
  /** Attempts that wait. */
  due: number;
  in_progress: number;
  /** Attempts that are over. */
  done: number;
  undetermined: number;
  /** Customers by their final disposition. */
  dispositions: Partial<Record<Disposition, number>>;
}

export interface Campaign {
  id: string;
  name: string;
  kind: 'campaign' | 'notification';
  state: CampaignState;
  callflow: string;
  purpose: string;
  created_at: string;
  /** Why it was paused by itself; empty when an operator did. */
  pause_reason: string;
  /** By the trunks' rates, calls in progress at the most they may cost. */
  spent: number;
  counts: CampaignCounts;
}

export interface Trunk {
  name: string;
  state: 'open' | 'resting' | 'tripped';
  state_until: string | null;
  state_reason: string;
  calls: number;
}

export interface Webhook {
  id: string;
  url: string;
  description: string;
  disabled_reason: string;
  /** Deliveries that were given up. */
  dead: number;
}

export interface Attempt {
  id: string;
  campaign_id: string;
  campaign: string;
  number: string;
  name: string;
  ordinal: number;
  state: 'due' | 'claimed' | 'dialing' | 'done' | 'undetermined';
  due_at: string;
  dialed_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
  disposition: Disposition | null;
  outcome: string;
  hangup_cause: string;
  sip_code: number;
  step: string;
  trunk: string;
  cost: number | null;
}

export interface TimelineEntry {
  id: number;
  at: string;
  kind: string;
  data: Record<string, unknown>;
}

export interface LiveEvent extends TimelineEntry {
  campaign_id: string | null;
  attempt_id: string | null;
}

export interface Turn {
  who: 'robot' | 'customer' | 'agent';
  text: string;
  at_s: number;
  intent: string | null;
  interrupted: boolean;
}

export interface Timings {
  answer_to_audio_s: number | null;
  turn_gaps_s: number[];
  barge_in_stops_s: number[];
  dead_air_s: number;
  duration_s: number;
}

export type Channel = 'voice' | 'sms';
export type Purpose = 'marketing' | 'informational' | 'transactional' | 'emergency';

/** Something a customer said or was said to have said: of a purpose or all, a channel and a campaign if only these. */
export interface Said {
  id: string;
  at: number;
  scope: string;
  channel?: string;
  campaign?: string;
}

/** What the gate was shown; instants in seconds. */
export interface Evidence {
  zones: string[];
  jurisdictions: string[];
  packs: string[];
  tzdata: string;
  opt_outs: Said[];
  opt_ins: Said[];
  consents: (Said & { kind: string; proven: boolean; until?: number })[];
  withdrawals: Said[];
  refusals: Said[];
  history: { at: number; channel: string; purpose: string; outcome: string }[];
  registers: Record<string, { as_of: number | null; listed: boolean }>;
  house_lists: string[];
}

export interface Receipt {
  at: string;
  allowed: boolean;
  code: string;
  reason: string;
  rule: string;
  source?: string;
  mark?: string;
  next_at: string | null;
  /** As it was kept; older ones have less in it. */
  evidence: Partial<Evidence>;
}

export interface Question {
  number: string;
  campaign_id?: string;
  purpose?: Purpose;
  channel: Channel;
  at?: string;
  zone?: string;
}

export interface Decision extends Receipt {
  number: string;
  purpose: Purpose;
  channel: Channel;
  zones: string[];
  jurisdictions: string[];
  packs: string[];
  tzdata: string;
  /** Nobody is reached until something is supplied: `reason` names it. */
  curable: boolean;
  campaign_state: CampaignState | null;
  /** Set when the campaign is done with the customer. */
  contact_disposition: string | null;
  evidence: Evidence;
}

export interface RulePack {
  name: string;
  title: string;
}

export interface Forecast {
  contacts: number;
  hours: { start: string; reachable: number; newly: number }[];
  later: number;
  /** Customers by the gate's code. */
  never: Record<string, number>;
}

export interface AttemptDetail extends Attempt {
  timeline: TimelineEntry[];
  transcript: Turn[];
  variables: Record<string, string>;
  timings: Timings;
  receipts: Receipt[];
  recording: string;
}

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface ProblemBody {
  code: string;
  title: string;
  detail: string;
  status: number;
  errors?: { field: string; code: string; reason: string }[];
}
