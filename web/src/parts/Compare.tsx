import { useEffect, useState } from 'react';
import { differences, type FullLook } from '../compare';
import { useSpeech } from '../i18n';
import { traitInWords } from '../i18n/words';
import type { Candidate } from '../schema';
import { item } from '../service';
import { Foreign } from './Foreign';

/** What to check by eye to tell the first two apart. */
export function Compare({ first, second }: { first: Candidate; second: Candidate }) {
  const { t } = useSpeech();
  const [looks, setLooks] = useState<[FullLook, FullLook]>([first, second]);
  useEffect(() => {
    const controller = new AbortController();
    // size and score line are in the whole rows only; without them the rest is compared
    Promise.all([item(first.item_id, controller.signal), item(second.item_id, controller.signal)]).then(
      (rows) => setLooks(rows),
      () => setLooks([first, second]),
    );
    return () => controller.abort();
  }, [first, second]);
  const found = differences(...looks);
  return (
    <section className="compare">
      <h2>{t.compare.title}</h2>
      {found.length === 0 ? (
        <p>{t.compare.same}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <td />
              {[first, second].map((candidate) => (
                <th key={candidate.item_id} scope="col">
                  <span className="rank">{candidate.rank}</span> <Foreign text={candidate.name} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.map((difference) => (
              <tr key={difference.trait}>
                <th scope="row">{t.compare.trait[difference.trait]}</th>
                <td data-rank={first.rank}>{traitInWords(difference.trait, difference.first, t)}</td>
                <td data-rank={second.rank}>{traitInWords(difference.trait, difference.second, t)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
