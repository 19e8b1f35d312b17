import { useEffect, useRef, useState } from 'react';
import { LANGUAGES, type Language, useSpeech } from './i18n';
import { BrowsePage } from './parts/BrowsePage';
import { DescribePage } from './parts/DescribePage';
import { Pharmacist } from './parts/Pharmacist';
import { PhotoPage } from './parts/PhotoPage';
import { type Place, usePlace } from './place';

const PAGES = ['photo', 'describe', 'browse'] as const;

export function App() {
  const { language, speak, t } = useSpeech();
  const [place, go] = usePlace();
  const page = place === 'answer' ? 'photo' : place;
  const photoPlace = useRef<Place>('photo'); // the way back from another page leads to the answer, if there is one
  if (page === 'photo') photoPlace.current = place;
  const [shown, setShown] = useState(page);
  useEffect(() => {
    if (page === shown) return;
    setShown(page);
    scrollTo(0, 0);
    const held = document.activeElement?.closest('nav'); // who came by the menu goes on from there
    if (!held) document.getElementById('main')?.focus({ preventScroll: true });
  }, [page, shown]);
  useEffect(() => {
    // a photo dropped beside its place must not replace the page, and with it the other photo
    const stay = (event: DragEvent) => event.preventDefault();
    document.addEventListener('dragover', stay);
    document.addEventListener('drop', stay);
    return () => {
      document.removeEventListener('dragover', stay);
      document.removeEventListener('drop', stay);
    };
  }, []);
  return (
    <>
      <a className="skip" href="#main">
        {t.skip}
      </a>
      <header className="top">
        <h1>
          <span className="brand">Pillscope</span> {t.tagline}
        </h1>
        <div className="languages">
          {(Object.keys(LANGUAGES) as Language[])
            .filter((other) => other !== language)
            .map((other) => (
              <button key={other} type="button" lang={other} onClick={() => speak(other)}>
                {LANGUAGES[other].language}
              </button>
            ))}
        </div>
        <nav aria-label={t.nav.label}>
          {PAGES.map((name) => (
            <a
              key={name}
              href={`#${name === 'photo' ? photoPlace.current : name}`}
              aria-current={name === page ? 'page' : undefined}
            >
              {t.nav[name]}
            </a>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {/* photos and answers outlive a look at another page */}
        <div hidden={page !== 'photo'}>
          <PhotoPage place={place} go={go} />
        </div>
        <div className="answer">
          {page === 'describe' && <DescribePage />}
          {page === 'browse' && <BrowsePage />}
        </div>
      </main>
      <footer>
        {place === 'photo' && <Pharmacist />}
        <p className="quiet">{t.privacy}</p>
      </footer>
    </>
  );
}
