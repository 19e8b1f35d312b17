/** One question to the service, its progress, and its answer. */

import { useCallback, useRef, useState } from 'react';
import { noteTooSlow } from './pace';
import { toSend } from './photo';
import type { Hints, Identification } from './schema';
import { Failure, identify, isAbort } from './service';
import { partToSend } from './shot';
import type { Side } from './usePhotos';

export type Asking =
  | { state: 'idle' }
  | { state: 'sending'; share: number }
  | { state: 'thinking' }
  | { state: 'answered'; answer: Identification }
  | { state: 'failed'; failure: Failure };

export const NO_HINTS: Hints = { imprint: '', shape: '', color: '' };

export interface Identify {
  asking: Asking;
  /** True when an answer came. */
  ask: (front: Side, back: Side | undefined, hints: Hints) => Promise<boolean>;
  /** Ends the question that is under way, and forgets the answer. */
  reset: () => void;
}

export function useIdentify(): Identify {
  const [asking, setAsking] = useState<Asking>({ state: 'idle' });
  const running = useRef<AbortController | null>(null);

  const reset = useCallback(() => {
    running.current?.abort();
    setAsking({ state: 'idle' });
  }, []);

  const ask = useCallback(async (front: Side, back: Side | undefined, hints: Hints) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const { signal } = controller;
    setAsking({ state: 'sending', share: 0 });
    const onSent = (share: number) => {
      if (!signal.aborted) setAsking(share < 1 ? { state: 'sending', share } : { state: 'thinking' });
    };
    try {
      const sides = back ? [front, back] : [front];
      const shots = sides.map(({ photo, shot }) => ({ photo, part: partToSend(shot) }));
      const [frontFile, backFile] = await toSend(shots);
      if (signal.aborted || !frontFile) return false;
      const answer = await identify(frontFile, backFile ?? null, hints, { signal, onSent });
      if (signal.aborted) return false;
      setAsking({ state: 'answered', answer });
      return true;
    } catch (error) {
      if (signal.aborted || isAbort(error)) return false;
      const failure = error instanceof Failure ? error : new Failure('broken');
      if (failure.code === 'deadline_passed') noteTooSlow();
      setAsking({ state: 'failed', failure });
      return false;
    }
  }, []);

  return { asking, ask, reset };
}
