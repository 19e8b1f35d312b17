import { useSpeech } from '../i18n';
import { imprintInWords, lookInWords } from '../i18n/words';
import type { Candidate } from '../schema';
import { drawingAddress } from '../service';
import { Foreign } from './Foreign';
import { MoreFacts } from './MoreFacts';
import { SameLook } from './SameLook';

/** One pill of the catalogue, without a photo to be compared with: nothing here is sure or unsure. */
export function FoundCard({ candidate }: { candidate: Candidate }) {
  const { language, t } = useSpeech();
  const look = lookInWords(candidate, t);
  const imprint = imprintInWords(candidate, t);
  return (
    <li className="card found">
      <img
        className="drawing"
        src={drawingAddress(candidate.drawing_url, language)}
        alt={t.card.drawing(`${look}; ${imprint}`)}
        width={440}
        height={264}
        loading="lazy"
      />
      <div>
        <h3>
          <Foreign text={candidate.name} />
        </h3>
        <p className="imprint">{imprint}</p>
        <p>{look}</p>
        <p className="quiet">
          {candidate.manufacturer && (
            <>
              <Foreign text={candidate.manufacturer} /> ·{' '}
            </>
          )}
          {t.catalog[candidate.catalog] ?? candidate.catalog}
        </p>
        {candidate.same_appearance.length > 0 && <SameLook ids={candidate.same_appearance} />}
        <MoreFacts id={candidate.item_id} />
      </div>
    </li>
  );
}
