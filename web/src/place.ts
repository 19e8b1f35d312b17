/** Where in the page the reader is, kept in the address: the phone's back key then goes one step back, not away. */

import { useCallback, useEffect, useState } from 'react';

export const PLACES = ['photo', 'answer', 'describe', 'browse'] as const;
export type Place = (typeof PLACES)[number];

/** The place that the part of an address after `#` names; `now` where it names something else, as the skip link does. */
export function placeOf(hash: string, now: Place = 'photo'): Place {
  if (hash.length <= 1) return 'photo';
  return PLACES.find((place) => hash === `#${place}`) ?? now;
}

export function usePlace(): [Place, (place: Place) => void] {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const moved = () => setPlace((now) => placeOf(location.hash, now));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const go = useCallback((next: Place) => {
    location.hash = next;
    setPlace(next);
  }, []);
  return [place, go];
}
