// Counts ended attempts by minute for the chart. Pure.
import type { Past } from './board.svelte';
import { NOT_SENT, REACHED } from './words';

export const MINUTES = 30;

export interface History {
  /** Starts of minutes, in seconds since the epoch. */
  minutes: number[];
  reached: number[];
  notReached: number[];
}

/** The last 30 minutes up to `now` (milliseconds); attempts for which nobody was rung do not count. */
export function historyOf(past: readonly Past[], now: number): History {
  const last = Math.floor(now / 60_000);
  const first = last - MINUTES + 1;
  const history: History = {
    minutes: Array.from({ length: MINUTES }, (_, index) => (first + index) * 60),
    reached: new Array<number>(MINUTES).fill(0),
    notReached: new Array<number>(MINUTES).fill(0),
  };
  for (const { at, disposition } of past) {
    const index = Math.floor(at / 60_000) - first;
    if (index < 0 || index >= MINUTES || NOT_SENT.has(disposition)) continue;
    const counts = REACHED.has(disposition) ? history.reached : history.notReached;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return history;
}
