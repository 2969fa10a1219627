// Calls REST version 1 with the session cookie. Keeps no state and shows nothing.
import type { Page, ProblemBody } from './shapes';

/** An answer that is not a success; `code` is the stable one of the problem details, `fields` names what is wrong. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly fields: readonly string[] = [],
  ) {
    super(detail);
  }
}

/** Milliseconds the server's clock is ahead of this one, to a second's precision. */
export let clockAheadMs = 0;

/** Send one request and return its JSON. Throws `Problem`, with status 0 when the server cannot be reached. */
export async function request<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['Idempotency-Key'] = randomKey();
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Problem(0, 'unreachable', 'The server does not answer. Is it running?');
  }
  noteClock(response);
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

export const get = <Answer>(path: string): Promise<Answer> => request<Answer>('GET', path);
export const post = <Answer>(path: string, body?: unknown): Promise<Answer> => request<Answer>('POST', path, body);

/** Read the pages of a list, one after the other, until `enough` says so or `most` items were read. */
export async function list<Item>(path: string, most: number, enough?: (last: Item) => boolean): Promise<Page<Item>> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Item> = await get<Page<Item>>(path + query);
    items.push(...page.items);
    cursor = page.next_cursor;
    const last = items.at(-1);
    if (last === undefined || enough?.(last)) break;
  } while (cursor !== null && items.length < most);
  return { items, next_cursor: cursor };
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<ProblemBody>;
    const fields = body.errors?.map((error) => error.field) ?? [];
    return new Problem(response.status, body.code ?? 'unknown', body.detail || body.title || response.statusText, fields);
  } catch {
    return new Problem(response.status, 'unknown', `The server answered ${response.status} ${response.statusText}.`);
  }
}

function noteClock(response: Response): void {
  const server = Date.parse(response.headers.get('Date') ?? '');
  const ahead = server - Date.now();
  if (Number.isFinite(ahead)) clockAheadMs = Math.abs(ahead) > 2000 ? ahead : 0;
}

// crypto.randomUUID is there only in secure contexts, and a console on a LAN address is none.
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
