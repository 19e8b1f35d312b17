import { useSpeech } from '../i18n';
import type { Item } from '../schema';
import { item } from '../service';
import { Foreign } from './Foreign';
import { LoadedDetails } from './LoadedDetails';

const SHOWN = 12;

/** Other items that show the same photo: their names are fetched when somebody asks. */
export function SameLook({ ids }: { ids: string[] }) {
  const { t } = useSpeech();
  return (
    <LoadedDetails<Item[]>
      summary={t.card.same(ids.length)}
      load={() => Promise.all(ids.slice(0, SHOWN).map((id) => item(id)))}
    >
      {(items) => (
        <ul>
          {items.map((same) => (
            <li key={same.item_id}>
              <Foreign text={same.name} />
              {same.manufacturer && (
                <span className="quiet">
                  {' · '}
                  <Foreign text={same.manufacturer} />
                </span>
              )}
            </li>
          ))}
          {ids.length > SHOWN && <li>{t.card.andMore(ids.length - SHOWN)}</li>}
        </ul>
      )}
    </LoadedDetails>
  );
}
