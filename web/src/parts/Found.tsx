import type { Candidate } from '../schema';
import { CatalogDates } from './CatalogDates';
import { FoundCard } from './FoundCard';

/** Pills of the catalogues that a search gave, and how old the catalogues are. */
export function Found({ candidates, dates }: { candidates: Candidate[]; dates: Record<string, string> | null }) {
  return (
    <>
      <ol className="cards gallery">
        {candidates.map((candidate) => (
          <FoundCard key={candidate.item_id} candidate={candidate} />
        ))}
      </ol>
      {dates && <CatalogDates dates={dates} />}
    </>
  );
}
