import { useState } from 'react';
import { LANGUAGES, type Language, useSpeech } from './i18n';
import { BrowsePage } from './parts/BrowsePage';
import { DescribePage } from './parts/DescribePage';
import { PhotoPage } from './parts/PhotoPage';

const PAGES = ['photo', 'describe', 'browse'] as const;
type Page = (typeof PAGES)[number];

export function App() {
  const { language, speak, t } = useSpeech();
  const [page, setPage] = useState<Page>('photo');
  return (
    <>
      <a className="skip" href="#main">
        {t.skip}
      </a>
      <header className="top">
        <div>
          <p className="brand">Pillscope</p>
          <h1>{t.tagline}</h1>
        </div>
        <div className="languages">
          {(Object.keys(LANGUAGES) as Language[]).map((other) => (
            <button
              key={other}
              type="button"
              lang={other}
              aria-pressed={other === language}
              onClick={() => speak(other)}
            >
              {LANGUAGES[other].language}
            </button>
          ))}
        </div>
        <nav aria-label={t.nav.label}>
          {PAGES.map((name) => (
            <button
              key={name}
              type="button"
              aria-current={name === page ? 'page' : undefined}
              onClick={() => setPage(name)}
            >
              {t.nav[name]}
            </button>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {/* photos and answers outlive a look at another page */}
        <div hidden={page !== 'photo'}>
          <PhotoPage active={page === 'photo'} />
        </div>
        {page === 'describe' && <DescribePage />}
        {page === 'browse' && <BrowsePage />}
      </main>
      <footer>
        <aside className="pharmacist" aria-label={t.pharmacist.title}>
          <strong>{t.pharmacist.title}</strong> {t.pharmacist.text}
        </aside>
        <p>{t.privacy}</p>
      </footer>
    </>
  );
}
