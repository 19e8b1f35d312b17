import { sizeOf } from '../compare';
import { useSpeech } from '../i18n';
import { dateInWords, traitInWords } from '../i18n/words';
import type { Item } from '../schema';
import { item } from '../service';
import { Foreign } from './Foreign';
import { LoadedDetails } from './LoadedDetails';

/** The rest of a catalogue row, fetched when somebody asks. */
export function MoreFacts({ id }: { id: string }) {
  const { t } = useSpeech();
  return (
    <LoadedDetails summary={t.card.more} load={() => item(id)}>
      {(row) => <Facts row={row} />}
    </LoadedDetails>
  );
}

function Facts({ row }: { row: Item }) {
  const { language, t } = useSpeech();
  const size = sizeOf(row);
  return (
    <dl>
      {row.ingredient && (
        <>
          <dt>{t.card.ingredient}</dt>
          <dd>
            <Foreign text={row.ingredient} />
          </dd>
        </>
      )}
      <dt>{t.card.size}</dt>
      <dd>{traitInWords('size', size?.map(String) ?? null, t)}</dd>
      <dt>{t.card.scoreLine}</dt>
      <dd>{traitInWords('score_line', row.score_line ? [row.score_line] : null, t)}</dd>
      <dt>{t.card.source}</dt>
      <dd>
        <Foreign text={row.source} /> ({t.card.asOf(dateInWords(row.catalog_date, language))}) · {row.item_id}
      </dd>
    </dl>
  );
}
