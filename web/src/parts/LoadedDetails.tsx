import { type ReactNode, type ToggleEvent, useState } from 'react';
import { useSpeech } from '../i18n';

interface Props<T> {
  summary: string;
  load: () => Promise<T>;
  children: (loaded: T) => ReactNode;
}

/** Something folded away that is fetched when it is opened, and again if that failed. */
export function LoadedDetails<T>({ summary, load, children }: Props<T>) {
  const { t } = useSpeech();
  const [loaded, setLoaded] = useState<T | null>(null);
  const [failed, setFailed] = useState(false);
  const open = async (event: ToggleEvent<HTMLDetailsElement>) => {
    if (event.newState !== 'open' || loaded) return;
    setFailed(false);
    try {
      setLoaded(await load());
    } catch {
      setFailed(true);
    }
  };
  return (
    <details onToggle={(event) => void open(event)}>
      <summary>{summary}</summary>
      {loaded === null ? <p role="status">{failed ? t.card.notLoaded : t.card.loading}</p> : children(loaded)}
    </details>
  );
}
