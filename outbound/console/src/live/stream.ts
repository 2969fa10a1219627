// Follows the one event stream of this tab and opens it again when it breaks. Knows nothing of what events mean.
import type { LiveEvent } from './shapes';

const RETRY_MS = 2500;

export interface Listener {
  /** The stream is open, for the first time or again. */
  opened(): void;
  event(event: LiveEvent): void;
  /** The stream broke; it is being opened again. */
  lost(): void;
}

/** The event stream of one tab, resumed after the last event it saw. */
export class Stream {
  private source: EventSource | null = null;
  private lastId = 0;
  private timer = 0;

  constructor(private readonly listener: Listener) {}

  open(): void {
    this.close();
    const source = new EventSource(this.lastId ? `/v1/events?after=${this.lastId}` : '/v1/events');
    source.onopen = () => this.listener.opened();
    source.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as LiveEvent;
      if (event.id <= this.lastId) return;
      this.lastId = event.id;
      this.listener.event(event);
    };
    source.onerror = () => {
      this.listener.lost();
      // A broken connection is resumed by the browser itself; a refused one is not.
      if (source.readyState === EventSource.CLOSED) this.timer = window.setTimeout(() => this.open(), RETRY_MS);
    };
    this.source = source;
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
