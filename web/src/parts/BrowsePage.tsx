import { useEffect, useState } from 'react';
import { useSpeech } from '../i18n';
import { filled } from '../service';
import { useSearch } from '../useSearch';
import { CandidateCard } from './CandidateCard';
import { DescriptionFields, EMPTY } from './DescriptionFields';
import { FailureNotice } from './FailureNotice';

const SHOWN = 48;
const TYPING_MS = 350;

/** The shipped catalogues, pill by pill; every choice narrows at once. */
export function BrowsePage() {
  const { t } = useSpeech();
  const [description, setDescription] = useState({ ...EMPTY, shape: 'round' });
  const [searching, start] = useSearch(SHOWN);
  useEffect(() => {
    // the service wants one attribute at least: without any, tablets are what most pills are
    const asked = filled({ ...description, catalogs: '' }).length ? description : { ...description, form: 'tablet' };
    const timer = setTimeout(() => void start(asked), TYPING_MS);
    return () => clearTimeout(timer);
  }, [description, start]);
  return (
    <>
      <section>
        <h2>{t.browse.title}</h2>
        <form onSubmit={(event) => event.preventDefault()}>
          <DescriptionFields value={description} onChange={setDescription} />
        </form>
      </section>
      {searching.state === 'failed' && (
        <FailureNotice failure={searching.failure} onRetry={() => void start(description)} />
      )}
      <p role="status">
        {searching.state === 'busy' && t.work.thinking}
        {searching.state === 'found' && counted(searching.candidates.length, t)}
      </p>
      {searching.state === 'found' && (
        <ol className="cards gallery">
          {searching.candidates.map((candidate) => (
            <CandidateCard key={candidate.item_id} candidate={candidate} plain />
          ))}
        </ol>
      )}
    </>
  );
}

function counted(count: number, t: ReturnType<typeof useSpeech>['t']): string {
  if (count === 0) return t.describe.noResults;
  return count < SHOWN ? t.browse.all(count) : t.browse.text(count);
}
