import { useSpeech } from '../i18n';
import { dateInWords } from '../i18n/words';

/** How old the catalogues are that an answer comes from. `dates`: ISO dates by catalogue. */
export function CatalogDates({ dates }: { dates: Record<string, string> }) {
  const { language, t } = useSpeech();
  return (
    <section className="dates">
      <h2>{t.dates.title}</h2>
      <ul>
        {Object.entries(dates).map(([catalog, date]) => (
          <li key={catalog}>
            {t.catalog[catalog] ?? catalog}: <strong>{dateInWords(date, language)}</strong>
          </li>
        ))}
      </ul>
      <p className="quiet">{t.dates.text}</p>
    </section>
  );
}
