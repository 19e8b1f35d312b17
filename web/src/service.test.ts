import { describe, expect, it } from 'vitest';
import { drawingAddress, failureOf, filled } from './service';

function envelope(code: string): string {
  return JSON.stringify({ error: { code, message: 'm', request_id: 'r1' } });
}

describe('failureOf', () => {
  it('understands our envelope', () => {
    const failure = failureOf(429, envelope('too_busy'), '7');
    expect([failure.code, failure.retryAfter, failure.requestId]).toEqual(['too_busy', 7, 'r1']);
    expect(failureOf(422, envelope('undecodable_image'), null).code).toBe('unsupported_image');
    expect(failureOf(503, envelope('not_ready'), null).code).toBe('runner_unavailable');
  });

  it('goes by the status where the code is new or the body is a proxy page', () => {
    expect(failureOf(422, envelope('something_new'), null).code).toBe('refused');
    expect(failureOf(502, '<html>bad gateway</html>', null).code).toBe('broken');
    expect(failureOf(502, 'null', 'soon').retryAfter).toBeNull();
  });
});

it('sends only what is filled in', () => {
  expect(filled({ imprint: ' TEVA ', shape: '', color: '  ' })).toEqual([['imprint', 'TEVA']]);
});

it('finds drawings behind any prefix', () => {
  expect(drawingAddress('/v1/items/us-nih:93-576/drawing.svg', 'ko')).toBe(
    'v1/items/us-nih:93-576/drawing.svg?lang=ko',
  );
});
