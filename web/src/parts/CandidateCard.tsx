import { outOf100, sureness } from '../compare';
import { useSpeech } from '../i18n';
import { dateInWords, imprintInWords, lookInWords } from '../i18n/words';
import type { Candidate, Evidence } from '../schema';
import { drawingAddress } from '../service';
import type { Side } from '../usePhotos';
import { CutOut } from './CutOut';
import { Foreign } from './Foreign';
import { MoreFacts } from './MoreFacts';
import { SameLook } from './SameLook';

const EVIDENCE = ['imprint', 'visual', 'color', 'shape', 'form'] as const;

interface Props {
  candidate: Candidate;
  /** Of the catalogues, ISO. */
  dates: Record<string, string>;
  front?: Side | undefined;
  back?: Side | undefined;
  /** The bars are folded away. */
  brief?: boolean;
}

/** One medicine: its drawing beside the person's own pill, how sure, and why. */
export function CandidateCard({ candidate, dates, front, back, brief = false }: Props) {
  const { language, t } = useSpeech();
  const date = dates[candidate.catalog];
  return (
    <li className={brief ? 'card brief' : 'card'}>
      <h3>
        <span className="rank">{candidate.rank}</span> <Foreign text={candidate.name} />
      </h3>
      <p className="sure">
        {t.card.sureLabel}: <strong>{t.sureness[sureness(candidate.score)]}</strong>{' '}
        <span className="quiet">({t.card.sure(outOf100(candidate.score))})</span>
      </p>
      <div className="pictures">
        {front && (
          <figure>
            <figcaption>{t.card.yours}</figcaption>
            <div className="cutouts">
              <CutOut side={front} label={t.found.photoLabel(t.side.front)} />
              {back && <CutOut side={back} label={t.found.photoLabel(t.side.back)} />}
            </div>
          </figure>
        )}
        <figure>
          <figcaption>{t.card.catalogue}</figcaption>
          <img
            className="drawing"
            src={drawingAddress(candidate.drawing_url, language)}
            alt={t.card.drawing(`${lookInWords(candidate, t)}; ${imprintInWords(candidate, t)}`)}
            width={440}
            height={264}
            loading="lazy"
          />
        </figure>
      </div>
      <dl className="facts">
        <dt>{t.card.imprint}</dt>
        <dd className="imprint">{imprintInWords(candidate, t)}</dd>
        <dt>{t.card.look}</dt>
        <dd>{lookInWords(candidate, t)}</dd>
        <dt>{t.card.maker}</dt>
        <dd>{candidate.manufacturer ? <Foreign text={candidate.manufacturer} /> : t.card.unknown}</dd>
        <dt>{t.field.catalog}</dt>
        <dd>
          {t.catalog[candidate.catalog] ?? candidate.catalog}
          {date && `, ${t.card.asOf(dateInWords(date, language))}`}
        </dd>
      </dl>
      {brief ? (
        <details>
          <summary>{t.card.why}</summary>
          <Bars evidence={candidate.evidence} />
        </details>
      ) : (
        <>
          <h4>{t.card.why}</h4>
          <Bars evidence={candidate.evidence} />
        </>
      )}
      {candidate.same_appearance.length > 0 && <SameLook ids={candidate.same_appearance} />}
      <MoreFacts id={candidate.item_id} />
    </li>
  );
}

function Bars({ evidence }: { evidence: Evidence }) {
  const { t } = useSpeech();
  return (
    <dl className="evidence">
      {EVIDENCE.map((kind) => {
        const value = evidence[kind];
        return (
          <div key={kind}>
            <dt>{t.evidence[kind]}</dt>
            <dd>
              {value === null ? (
                <span className="quiet">{t.card.noEvidence}</span>
              ) : (
                <>
                  <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect className="bar-rest" width={100} height={10} />
                    <rect className="bar" width={value * 100} height={10} />
                  </svg>
                  <span className="percent">{Math.round(value * 100)}%</span>
                </>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
