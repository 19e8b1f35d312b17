import { differences, type Trait } from '../compare';
import { useSpeech } from '../i18n';
import type { Messages } from '../i18n/en';
import type { Candidate } from '../schema';

/** What to check by eye to tell the first two apart. */
export function Compare({ first, second }: { first: Candidate; second: Candidate }) {
  const { t } = useSpeech();
  const found = differences(first, second);
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
              <th scope="col">
                {t.compare.first}: {first.name}
              </th>
              <th scope="col">
                {t.compare.second}: {second.name}
              </th>
            </tr>
          </thead>
          <tbody>
            {found.map((difference) => (
              <tr key={difference.trait}>
                <th scope="row">{t.compare.trait[difference.trait]}</th>
                <td>{inWords(difference.trait, difference.first, t)}</td>
                <td>{inWords(difference.trait, difference.second, t)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function inWords(trait: Trait, values: string[] | null, t: Messages): string {
  if (values === null) return t.card.unknown;
  if (trait === 'imprint') return values.map((text) => text || t.card.blank).join(' / ');
  const words = { shape: t.shape, colors: t.color, form: t.form }[trait];
  return values.map((value) => words[value] ?? value).join(', ');
}
