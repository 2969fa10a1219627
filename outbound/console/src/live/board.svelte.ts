// The state of the live page: one snapshot over REST, kept true by the event stream. Draws nothing.
import { applyEvent, callOf, newCall, type LiveCall } from './call';
import { get, list, post, Problem, request } from './rest';
import type { Attempt, AttemptDetail, Campaign, Disposition, LiveEvent, Page, Timings, Trunk, Webhook } from './shapes';
import { Stream } from './stream';
import { DISPOSITIONS } from './words';

const FEED_LENGTH = 24;
const FEED_AT_START = 20;
const HISTORY_MS = 30 * 60_000;
const LINGER_MS = 4000;
const SETTLE_MS = 600;
const RETRY_MS = 3000;
/** Kinds of events after which something may want a person. */
const ATTENTION = /^(trunk\.|webhook\.|attempt\.undetermined$)/;
const PAGES = { campaigns: 200, ended: 1000, optOuts: 1000, attention: 50 };

/** One ended attempt in the feed; what was measured arrives a moment later. */
export interface Ended extends Attempt {
  timings: Timings | null;
  recording: string;
}

/** One ended attempt in the chart. */
export interface Past {
  at: number;
  disposition: Disposition;
}

export type Phase = 'starting' | 'signed-out' | 'ready' | 'unreachable';

export class Board {
  phase = $state<Phase>('starting');
  connected = $state(true);
  campaigns = $state<Campaign[]>([]);
  calls = $state<LiveCall[]>([]);
  ended = $state<Ended[]>([]);
  past = $state.raw<Past[]>([]);
  optOuts = $state({ count: 0, more: false });
  /** Attempts of which nobody knows what became. */
  undetermined = $state.raw<Page<Attempt>>({ items: [], next_cursor: null });
  trunks = $state.raw<Trunk[]>([]);
  webhooks = $state.raw<Webhook[]>([]);
  /** The last thing worth telling somebody who cannot see the page. */
  announcement = $state('');

  private readonly stream = new Stream({
    opened: () => void this.load(),
    event: (event) => (this.held ? this.held.push(event) : this.take(event)),
    lost: () => {
      this.connected = false;
      if (this.phase === 'starting') this.phase = 'unreachable';
      void this.checkSession();
    },
  });
  /** Events that arrive while a snapshot is being read. */
  private held: LiveEvent[] | null = null;
  /** Events of calls whose earlier events are being read. */
  private readonly adopting = new Map<string, LiveEvent[]>();
  private readonly stale = new Set<string>();
  private settling = 0;

  /** Begin: with a key, sign in first. */
  async start(key = ''): Promise<void> {
    try {
      if (key) await post('/v1/session', { key });
      await get('/v1/session');
    } catch (problem) {
      this.phase = problem instanceof Problem && (problem.status === 0 || problem.status >= 500) ? 'unreachable' : 'signed-out';
      if (key) throw problem;
      return;
    }
    this.stream.open();
  }

  async signOut(): Promise<void> {
    this.leave();
    await request('DELETE', '/v1/session').catch(() => undefined);
  }

  async act(campaign: Campaign, verb: 'start' | 'pause' | 'resume' | 'cancel'): Promise<void> {
    this.put(await post<Campaign>(`/v1/campaigns/${campaign.id}/${verb}`));
  }

  private async load(): Promise<void> {
    if (this.held) return;
    this.held = [];
    try {
      const recent = Date.now() - HISTORY_MS;
      const [campaigns, notifications, dialing, done, optOuts] = await Promise.all([
        list<Campaign>('/v1/campaigns?limit=100', PAGES.campaigns),
        list<Campaign>('/v1/campaigns?kind=notification&limit=500', PAGES.campaigns),
        list<Attempt>('/v1/attempts?state=dialing&limit=100', 1000),
        list<Attempt>('/v1/attempts?state=done&limit=100', PAGES.ended, (last) => endOf(last) < recent),
        list('/v1/optouts?limit=100', PAGES.optOuts),
      ]);
      this.campaigns = [...campaigns.items, ...notifications.items];
      this.optOuts = { count: optOuts.items.length, more: optOuts.next_cursor !== null };
      this.past = done.items.filter((attempt) => endOf(attempt) >= recent).flatMap(pastOf);
      this.showEnded(done.items.slice(0, FEED_AT_START));
      const alive = new Set(dialing.items.map((attempt) => attempt.id));
      this.calls = this.calls.filter((call) => alive.has(call.attemptId));
      for (const attempt of dialing.items) void this.adopt(attempt.id);
      await this.readAttention();
      this.connected = true;
      this.phase = 'ready';
    } catch (problem) {
      this.connected = false;
      if (this.phase === 'starting') this.phase = 'unreachable';
      if (problem instanceof Problem && problem.status === 401) this.leave();
      else window.setTimeout(() => void this.load(), RETRY_MS);
    } finally {
      const held: LiveEvent[] = this.held ?? [];
      this.held = null;
      for (const event of held) this.take(event);
    }
  }

  private take(event: LiveEvent): void {
    if (event.campaign_id) this.refreshSoon(event.campaign_id);
    if (event.kind === 'optout.created') this.refreshSoon('optouts');
    if (ATTENTION.test(event.kind) || this.undetermined.items.some((attempt) => attempt.id === event.attempt_id))
      this.refreshSoon('attention');
    if (!event.attempt_id) return;
    const id = event.attempt_id;
    if (event.kind.startsWith('call.')) this.takeCallEvent(id, event);
    else if (event.kind === 'attempt.dialing') this.dialing(id, event);
    else if (event.kind === 'attempt.done' || event.kind === 'attempt.undetermined') void this.over(id, event);
    else if (event.kind === 'attempt.released') this.calls = this.calls.filter((call) => call.attemptId !== id);
  }

  private dialing(id: string, event: LiveEvent): void {
    if (this.callOf(id)) return;
    const { number, name, ordinal } = event.data as Pick<Attempt, 'number' | 'name' | 'ordinal'>;
    const campaignId = event.campaign_id ?? '';
    const campaign = this.campaigns.find((known) => known.id === campaignId)?.name ?? '';
    this.calls.unshift(newCall({ id, campaign_id: campaignId, campaign, name, number, ordinal }, Date.parse(event.at)));
  }

  private takeCallEvent(id: string, event: LiveEvent): void {
    const call = this.callOf(id);
    const waiting = this.adopting.get(id);
    waiting?.push(event);
    if (!call) {
      if (!waiting && !this.ended.some((attempt) => attempt.id === id)) void this.adopt(id);
      return;
    }
    applyEvent(call, event);
    if (event.kind === 'call.answered') this.announcement = `${nameOf(call)} has answered.`;
  }

  /** Show a call that was already under way: what happened so far is read once, then the stream goes on. */
  private async adopt(id: string): Promise<void> {
    this.adopting.set(id, []);
    try {
      const detail = await get<AttemptDetail>(`/v1/attempts/${id}`);
      if (detail.state !== 'dialing') return;
      const call = callOf(detail);
      for (const event of this.adopting.get(id) ?? []) applyEvent(call, event);
      const at = this.calls.findIndex((known) => known.attemptId === id);
      if (at >= 0) this.calls[at] = call;
      else this.calls.push(call);
    } catch {
      // The next event of this call tries again.
    } finally {
      this.adopting.delete(id);
    }
  }

  private async over(id: string, event: LiveEvent): Promise<void> {
    const disposition = (event.data['disposition'] ?? 'undetermined') as Disposition;
    const call = this.callOf(id);
    if (call) {
      call.phase = 'ended';
      call.partial = '';
      call.endedAt ??= Date.parse(event.at);
      call.disposition = disposition;
      call.outcome = String(event.data['outcome'] ?? '');
      this.announcement = `${nameOf(call)}: ${DISPOSITIONS[disposition].label}.`;
      window.setTimeout(() => (this.calls = this.calls.filter((other) => other.attemptId !== id)), LINGER_MS);
    }
    const at = Date.parse(event.at);
    this.past = [...this.past.filter((one) => one.at >= at - HISTORY_MS), { at, disposition }];
    try {
      this.showEnded([await get<AttemptDetail>(`/v1/attempts/${id}`)]);
    } catch {
      // The feed shows it after the next snapshot.
    }
  }

  private showEnded(attempts: readonly (Attempt | AttemptDetail)[]): void {
    const fresh = attempts.map((attempt) => {
      const known = this.ended.find((other) => other.id === attempt.id);
      const detail = 'timings' in attempt ? attempt : known;
      return { ...attempt, timings: detail?.timings ?? null, recording: detail?.recording ?? '' };
    });
    const ids = new Set(fresh.map((attempt) => attempt.id));
    const all = [...fresh, ...this.ended.filter((attempt) => !ids.has(attempt.id))];
    this.ended = all.sort((a, b) => endOf(b) - endOf(a)).slice(0, FEED_LENGTH);
    void this.measure(fresh.filter((attempt) => attempt.timings === null && attempt.answered_at !== null));
  }

  /** Read what was measured of ended calls, one after the other: the list does not carry it. */
  private async measure(attempts: readonly Ended[]): Promise<void> {
    for (const { id } of attempts) {
      const detail = await get<AttemptDetail>(`/v1/attempts/${id}`).catch(() => null);
      const shown = this.ended.find((attempt) => attempt.id === id);
      if (detail && shown) [shown.timings, shown.recording] = [detail.timings, detail.recording];
    }
  }

  private async readAttention(): Promise<void> {
    const [undetermined, trunks, webhooks] = await Promise.all([
      list<Attempt>('/v1/attempts?state=undetermined&limit=50', PAGES.attention),
      list<Trunk>('/v1/trunks?limit=100', PAGES.campaigns),
      list<Webhook>('/v1/webhooks?limit=100', PAGES.campaigns),
    ]);
    this.undetermined = undetermined;
    this.trunks = trunks.items;
    this.webhooks = webhooks.items;
  }

  /** Counts are the server's: read again shortly after something happened, once for many events. */
  private refreshSoon(what: string): void {
    this.stale.add(what);
    this.settling ||= window.setTimeout(() => void this.refresh(), SETTLE_MS);
  }

  private async refresh(): Promise<void> {
    const stale = [...this.stale];
    this.stale.clear();
    for (const what of stale) {
      try {
        if (what === 'optouts') {
          const optOuts = await list('/v1/optouts?limit=100', PAGES.optOuts);
          this.optOuts = { count: optOuts.items.length, more: optOuts.next_cursor !== null };
        } else if (what === 'attention') await this.readAttention();
        else this.put(await get<Campaign>(`/v1/campaigns/${what}`));
      } catch {
        // What could not be read is read after the next event or snapshot.
      }
    }
    this.settling = 0;
    if (this.stale.size) this.settling = window.setTimeout(() => void this.refresh(), SETTLE_MS);
  }

  private put(campaign: Campaign): void {
    const at = this.campaigns.findIndex((known) => known.id === campaign.id);
    if (at >= 0) this.campaigns[at] = campaign;
    else this.campaigns.unshift(campaign);
    for (const call of this.calls) if (call.campaignId === campaign.id) call.campaign = campaign.name;
  }

  private callOf(id: string): LiveCall | undefined {
    return this.calls.find((call) => call.attemptId === id);
  }

  private async checkSession(): Promise<void> {
    await get('/v1/session').catch((problem: unknown) => {
      if (problem instanceof Problem && problem.status === 401) this.leave();
    });
  }

  private leave(): void {
    this.stream.close();
    this.phase = 'signed-out';
  }
}

export const nameOf = (one: { name: string; number: string }): string => one.name || one.number;
const endOf = (attempt: Attempt): number => Date.parse(attempt.ended_at ?? attempt.due_at);
const pastOf = (attempt: Attempt): Past[] => (attempt.disposition ? [{ at: endOf(attempt), disposition: attempt.disposition }] : []);
