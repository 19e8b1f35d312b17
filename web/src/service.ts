/** Talks to the service. Paths are relative, so that the page works behind any prefix. */

import { notePace } from './pace';
import type { Description, DetectionResult, Hints, Identification, Item, SearchResult } from './schema';

export type FailureCode =
  | 'network'
  | 'too_busy'
  | 'deadline_passed'
  | 'runner_unavailable'
  | 'unsupported_image'
  | 'too_large'
  | 'refused'
  | 'broken';

/** The service could not be reached, or said no. */
export class Failure extends Error {
  constructor(
    readonly code: FailureCode,
    /** Seconds after which to try again, as the service asks. */
    readonly retryAfter: number | null = null,
    readonly requestId: string | null = null,
  ) {
    super(code);
  }
}

const CODES: Record<string, FailureCode> = {
  too_busy: 'too_busy',
  deadline_passed: 'deadline_passed',
  runner_unavailable: 'runner_unavailable',
  not_ready: 'runner_unavailable',
  unsupported_image: 'unsupported_image',
  undecodable_image: 'unsupported_image',
  image_too_large: 'too_large',
  body_too_large: 'too_large',
};

/** What an answer that is no success means. `body`: its text, our error envelope unless something stands between. */
export function failureOf(status: number, body: string, retryAfter: string | null): Failure {
  let code: FailureCode = status >= 500 ? 'broken' : 'refused';
  let requestId: string | null = null;
  try {
    const { error } = JSON.parse(body) as { error: { code: string; request_id: string } };
    code = CODES[error.code] ?? code;
    requestId = error.request_id;
  } catch {
    // a proxy's page, not our envelope: the status has to do
  }
  const seconds = Number(retryAfter);
  return new Failure(code, retryAfter !== null && Number.isFinite(seconds) ? seconds : null, requestId);
}

interface Sending {
  signal?: AbortSignal | undefined;
  /** Told while the body goes out: the share that is sent, [0, 1]. */
  onSent?: (share: number) => void;
}

/** Longer than the service's own deadline: only a connection that has died takes this long. */
const SILENCE_MS = 60_000;

/** XMLHttpRequest, because fetch does not tell how much of an upload has gone out. */
function request<T>(method: 'GET' | 'POST', path: string, body: FormData | null, sending: Sending = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, path);
    xhr.timeout = SILENCE_MS;
    const began = performance.now();
    xhr.upload.onprogress = (event) => {
      if (event.lengthComputable) sending.onSent?.(event.loaded / event.total);
    };
    xhr.upload.onload = (event) => notePace(event.total, (performance.now() - began) / 1000);
    xhr.onload = () => {
      if (xhr.status < 200 || xhr.status >= 300) {
        reject(failureOf(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After')));
        return;
      }
      try {
        resolve(JSON.parse(xhr.responseText) as T);
      } catch {
        reject(new Failure('broken'));
      }
    };
    xhr.onerror = () => reject(new Failure('network'));
    xhr.ontimeout = () => reject(new Failure('deadline_passed'));
    xhr.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    sending.signal?.addEventListener('abort', () => xhr.abort());
    xhr.send(body);
  });
}

/** Name and value of what is filled in. */
export function filled(fields: Partial<Description>): [string, string][] {
  return Object.entries(fields)
    .map(([name, value]): [string, string] => [name, value.trim()])
    .filter(([, value]) => value !== '');
}

export function detect(photo: Blob, sending?: Sending): Promise<DetectionResult> {
  const form = new FormData();
  form.append('image', photo, 'photo.jpg');
  return request('POST', 'v1/detect', form, sending);
}

export function identify(front: Blob, back: Blob | null, hints: Hints, sending?: Sending): Promise<Identification> {
  const form = new FormData();
  form.append('front', front, 'front.jpg');
  if (back) form.append('back', back, 'back.jpg');
  for (const [name, value] of filled(hints)) form.append(name, value);
  return request('POST', 'v1/identify', form, sending);
}

export function search(description: Partial<Description>, topK: number, signal?: AbortSignal): Promise<SearchResult> {
  const query = new URLSearchParams([...filled(description), ['top_k', String(topK)]]);
  return request('GET', `v1/search?${query}`, null, { signal });
}

export function item(itemId: string, signal?: AbortSignal): Promise<Item> {
  return request('GET', `v1/items/${encodeURIComponent(itemId)}`, null, { signal });
}

/** Where a drawing is, from the address the service gives, in the reader's language. */
export function drawingAddress(url: string, language: string): string {
  return `${url.replace(/^\//, '')}?lang=${language}`;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
