import { type ToggleEvent, useState } from 'react';
import { useSpeech } from '../i18n';
import type { Item } from '../schema';
import { item } from '../service';

const SHOWN = 12;

/** Other items that show the same photo: their names are fetched when somebody asks. */
export function SameLook({ ids }: { ids: string[] }) {
  const { t } = useSpeech();
  const [items, setItems] = useState<Item[] | null>(null);
  const open = async (event: ToggleEvent<HTMLDetailsElement>) => {
    if (event.newState !== 'open' || items) return;
    const answers = await Promise.allSettled(ids.slice(0, SHOWN).map((id) => item(id)));
    setItems(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])));
  };
  return (
    <details className="same" onToggle={(event) => void open(event)}>
      <summary>{t.card.same(ids.length)}</summary>
      {items === null ? (
        <p>{t.card.loading}</p>
      ) : (
        <ul>
          {items.map((same) => (
            <li key={same.item_id}>
              {same.name}
              {same.manufacturer && <span className="quiet"> · {same.manufacturer}</span>}
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}
