// The shapes of REST version 1 that the console reads; outbound/api/models.py is their source. Holds no behaviour.

export type Disposition =
  | 'accepted' | 'declined' | 'informed' | 'opted_out' | 'handed_off' | 'callback_booked' | 'wrong_person'
  | 'no_response' | 'hung_up' | 'message_left' | 'machine' | 'busy' | 'no_answer' | 'rejected' | 'blocked'
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
  counts: CampaignCounts;
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

export interface Receipt {
  at: string;
  allowed: boolean;
  code: string;
  reason: string;
  rule: string;
  next_at: string | null;
  evidence: Record<string, unknown>;
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
}
