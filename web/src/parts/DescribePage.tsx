import { type FormEvent, useState } from 'react';
import { useSpeech } from '../i18n';
import { filled } from '../service';
import { useSearch } from '../useSearch';
import { CandidateCard } from './CandidateCard';
import { DescriptionFields, EMPTY } from './DescriptionFields';
import { FailureNotice } from './FailureNotice';

const RESULTS = 20;

/** Search by what a person reads and sees, without a photo. */
export function DescribePage() {
  const { t } = useSpeech();
  const [description, setDescription] = useState(EMPTY);
  const [nothing, setNothing] = useState(false);
  const [searching, start] = useSearch(RESULTS);
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
        <form onSubmit={submit}>
          <DescriptionFields value={description} onChange={setDescription} />
          <div className="actions">
            <button type="submit" className="button main">
              {t.describe.search}
            </button>
          </div>
        </form>
      </section>
      {nothing && (
        <p role="alert" className="notice">
          {t.describe.nothing}
        </p>
      )}
      {searching.state === 'failed' && (
        <FailureNotice failure={searching.failure} onRetry={() => void start(description)} />
      )}
      <p role="status">
        {searching.state === 'busy' && t.work.thinking}
        {searching.state === 'found' &&
          (searching.candidates.length ? t.describe.results(searching.candidates.length) : t.describe.noResults)}
      </p>
      {searching.state === 'found' && (
        <ol className="cards">
          {searching.candidates.map((candidate) => (
            <CandidateCard key={candidate.item_id} candidate={candidate} plain />
          ))}
        </ol>
      )}
    </>
  );
}
