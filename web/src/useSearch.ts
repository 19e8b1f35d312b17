/** Search by description; a newer question ends an older one. */

import { useCallback, useRef, useState } from 'react';
import type { Candidate, Description } from './schema';
import { Failure, isAbort, search } from './service';

export type Searching =
  | { state: 'idle' }
  | { state: 'busy' }
  | { state: 'found'; candidates: Candidate[]; dates: Record<string, string> }
  | { state: 'failed'; failure: Failure };

export function useSearch(topK: number): [Searching, (description: Partial<Description>) => Promise<void>] {
  const [searching, setSearching] = useState<Searching>({ state: 'idle' });
  const running = useRef<AbortController | null>(null);
  const start = useCallback(
    async (description: Partial<Description>) => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      const { signal } = controller;
      setSearching({ state: 'busy' });
      try {
        const { candidates, versions } = await search(description, topK, signal);
        if (!signal.aborted) setSearching({ state: 'found', candidates, dates: versions.catalogs });
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        setSearching({ state: 'failed', failure: error instanceof Failure ? error : new Failure('broken') });
      }
    },
    [topK],
  );
  return [searching, start];
}
