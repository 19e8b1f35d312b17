/** Search by description; a newer question ends an older one. */

import { useCallback, useRef, useState } from 'react';
import type { Candidate, Description } from './schema';
import { Failure, isAbort, search } from './service';

export type Searching =
  | { state: 'idle' }
  | { state: 'busy' }
  | { state: 'found'; candidates: Candidate[] }
  | { state: 'failed'; failure: Failure };

interface Search {
  searching: Searching;
  start: (description: Partial<Description>) => Promise<void>;
  /** ISO dates of the catalogues the service has; null until it has answered once. */
  dates: Record<string, string> | null;
}

export function useSearch(topK: number): Search {
  const [searching, setSearching] = useState<Searching>({ state: 'idle' });
  const [dates, setDates] = useState<Search['dates']>(null);
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
        if (signal.aborted) return;
        setDates(versions.catalogs);
        setSearching({ state: 'found', candidates });
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        setSearching({ state: 'failed', failure: error instanceof Failure ? error : new Failure('broken') });
      }
    },
    [topK],
  );
  return { searching, start, dates };
}
