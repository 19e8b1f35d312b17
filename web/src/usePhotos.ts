/** The two photos of one pill: opened, shown at once, looked over by the service in the background. */

import { useCallback, useRef, useState } from 'react';
import { glance, NotAPhoto, openPhoto, type Photo } from './photo';
import type { SideName } from './schema';
import { detect } from './service';
import { newShot, type Shot, withFound } from './shot';

export interface Side {
  photo: Photo;
  shot: Shot;
}

export interface Photos {
  sides: Partial<Record<SideName, Side>>;
  /** A file is being opened, or was none. */
  opening: 'idle' | 'busy' | 'not_photo';
  take: (side: SideName, file: File) => Promise<void>;
  change: (side: SideName, change: (shot: Shot) => Shot) => void;
  /** Looks for the pills of a photo again, where that failed. */
  look: (side: SideName) => void;
  drop: (side: SideName) => void;
  clear: () => void;
}

export function usePhotos(): Photos {
  const [sides, setSides] = useState<Photos['sides']>({});
  const [opening, setOpening] = useState<Photos['opening']>('idle');
  const looks = useRef<Partial<Record<SideName, AbortController>>>({});

  const change = useCallback((name: SideName, how: (shot: Shot) => Shot) => {
    setSides((now) => {
      const side = now[name];
      return side ? { ...now, [name]: { ...side, shot: how(side.shot) } } : now;
    });
  }, []);

  const drop = useCallback((name: SideName) => {
    looks.current[name]?.abort();
    setSides(({ [name]: _, ...others }) => others);
  }, []);

  const find = useCallback(
    async (name: SideName, photo: Photo) => {
      looks.current[name]?.abort();
      const looking = new AbortController();
      looks.current[name] = looking;
      const { signal } = looking;
      try {
        const result = await detect(await glance(photo), { signal });
        if (!signal.aborted) change(name, (shot) => withFound(shot, result));
      } catch {
        if (!signal.aborted) change(name, (shot) => ({ ...shot, finding: { state: 'failed' } }));
      }
    },
    [change],
  );

  const take = useCallback(
    async (name: SideName, file: File) => {
      setOpening('busy');
      let photo: Photo;
      try {
        photo = await openPhoto(file);
      } catch (error) {
        if (!(error instanceof NotAPhoto)) throw error;
        setOpening('not_photo');
        return;
      }
      setOpening('idle');
      setSides((now) => ({ ...now, [name]: { photo, shot: newShot(photo) } }));
      await find(name, photo);
    },
    [find],
  );

  const look = (name: SideName) => {
    const side = sides[name];
    if (!side) return;
    change(name, () => newShot(side.photo));
    void find(name, side.photo);
  };

  const clear = useCallback(() => {
    for (const look of Object.values(looks.current)) look?.abort();
    setSides({});
    setOpening('idle');
  }, []);

  return { sides, opening, take, change, look, drop, clear };
}
