import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useSpeech } from '../i18n';
import { filled } from '../service';
import { useSearch } from '../useSearch';
import { DescriptionFields, EMPTY } from './DescriptionFields';
import { FailureNotice } from './FailureNotice';
import { Found } from './Found';
import { Pharmacist } from './Pharmacist';

const RESULTS = 20;

/** Search by what a person reads and sees, without a photo. */
export function DescribePage() {
  const { t } = useSpeech();
  const [description, setDescription] = useState(EMPTY);
  const [nothing, setNothing] = useState(false);
  const { searching, start, dates } = useSearch(RESULTS);
  const results = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (searching.state === 'found') results.current?.scrollIntoView();
  }, [searching]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const empty = filled({ ...description, catalogs: '' }).length === 0;
    setNothing(empty);
    if (!empty) void start(description);
  };
  return (
    <>
      <section>
        <h2>{t.describe.title}</h2>
        <p>{t.describe.text}</p>
        <form onSubmit={submit}>
          <DescriptionFields value={description} catalogs={Object.keys(dates ?? t.catalog)} onChange={setDescription} />
          {nothing && (
            <p role="alert" className="notice">
              {t.describe.nothing}
            </p>
          )}
          <div className="actions wide">
            <button type="submit" className="button main">
              {t.describe.search}
            </button>
          </div>
        </form>
      </section>
      <Pharmacist />
      {searching.state === 'failed' && (
        <FailureNotice failure={searching.failure} onRetry={() => void start(description)} />
      )}
      <div ref={results}>
        <p role="status" className="count">
          {searching.state === 'busy' && t.work.searching}
          {searching.state === 'found' &&
            (searching.candidates.length ? t.describe.results(searching.candidates.length) : t.describe.noResults)}
        </p>
        {searching.state === 'found' && <Found candidates={searching.candidates} dates={dates} />}
      </div>
    </>
  );
}
