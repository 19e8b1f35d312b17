import { useEffect, useRef } from 'react';
import { probablyNone, rival } from '../compare';
import { useSpeech } from '../i18n';
import type { Hints, Identification, SideName } from '../schema';
import type { Side } from '../usePhotos';
import { CandidateCard } from './CandidateCard';
import { CatalogDates } from './CatalogDates';
import { Compare } from './Compare';
import { CorrectForm } from './CorrectForm';
import { Pharmacist } from './Pharmacist';
import { Seen } from './Seen';

interface Props {
  answer: Identification;
  front: Side | undefined;
  back: Side | undefined;
  hints: Hints;
  onAgain: (hints: Hints) => void;
  onRestart: () => void;
  /** Back to the photos, as they are. */
  onPhotos: () => void;
  /** Back to the photos, without this one. */
  onRetake: (side: SideName) => void;
}

/** The decision first, then the candidates, then what the person can do about it. */
export function AnswerView({ answer, front, back, hints, onAgain, onRestart, onPhotos, onRetake }: Props) {
  const { t } = useSpeech();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  const [first] = answer.candidates;
  const second = rival(answer.candidates);
  const unidentified = answer.decision === 'unidentified';
  const told = answer.decision === 'candidates' && probablyNone(answer.candidates) ? 'doubtful' : answer.decision;
  const troubled = unidentified ? troubledSide(answer) : null;
  const issues = unidentified ? [] : new Set(answer.sides.flatMap((side) => side.quality?.issues ?? []));
  const shown = unidentified || !second ? answer.candidates.length : answer.candidates.indexOf(second) + 1;
  const cards = (from: number, to?: number) => (
    <ol className="cards" start={from + 1}>
      {answer.candidates.slice(from, to).map((candidate) => (
        <CandidateCard
          key={candidate.item_id}
          candidate={candidate}
          dates={answer.versions.catalogs}
          front={front}
          back={back}
          brief={from > 0 || unidentified}
        />
      ))}
    </ol>
  );
  return (
    <div className="answer">
      <section className={`decision ${answer.decision}`}>
        <h2 ref={heading} tabIndex={-1}>
          {told === 'identified' ? t.decision.identified(first?.name ?? '') : t.decision[told]}
        </h2>
        {told === 'unidentified' ? (
          answer.reason && (
            <p>
              {t.reason[answer.reason]} {back && troubled && t.reasonOn(t.side[troubled])}
            </p>
          )
        ) : (
          <p>{t.decisionNote[told]}</p>
        )}
        {[...issues].map((issue) => t.issue[issue] && <p key={issue}>{t.issue[issue]}</p>)}
        {answer.missing.length > 0 && (
          <p>{t.missing(answer.missing.map((name) => t.missingName[name] ?? name).join(', '))}</p>
        )}
        {unidentified && (
          <div className="actions">
            {answer.reason === 'several_pills' && (
              <button type="button" className="button main" onClick={onPhotos}>
                {t.next.choose}
              </button>
            )}
            {troubled && (
              <button
                type="button"
                className={answer.reason === 'several_pills' ? 'button' : 'button main'}
                onClick={() => onRetake(troubled)}
              >
                {t.next.again(t.side[troubled])}
              </button>
            )}
            <a className="button" href="#describe">
              {t.next.describe}
            </a>
          </div>
        )}
      </section>
      <Pharmacist />
      {answer.candidates.length > 0 && (
        <section className="bare">
          {unidentified && <h2>{t.nearest}</h2>}
          {cards(0, shown)}
        </section>
      )}
      {!unidentified && first && second && <Compare first={first} second={second} />}
      {shown < answer.candidates.length && (
        <section className="bare">
          {/* folded away only where one pill stands out */}
          <details open={answer.decision !== 'identified'}>
            <summary>{t.others(answer.candidates.length - shown)}</summary>
            {cards(shown)}
          </details>
        </section>
      )}
      {answer.sides.some(({ shape, imprint }) => shape || imprint) && (
        <Seen answer={answer} front={front} back={back}>
          <CorrectForm answer={answer} hints={hints} onAgain={onAgain} open={answer.reason === 'not_in_catalog'} />
        </Seen>
      )}
      <section className="next">
        <h2>{t.next.title}</h2>
        <div className="actions">
          <button type="button" className="button" onClick={onRestart}>
            {t.restart}
          </button>
          <button type="button" className="button" onClick={onPhotos}>
            {t.next.photos}
          </button>
        </div>
      </section>
      <CatalogDates dates={answer.versions.catalogs} />
    </div>
  );
}

/** The photo that the reason is about: the first on which nothing could be judged. */
function troubledSide({ sides, reason }: Identification): SideName | null {
  if (reason === null || reason === 'not_in_catalog') return null;
  const poor = sides.find(({ pill, quality }) => pill === null || quality?.issues.includes(reason));
  return (poor ?? sides[0])?.side ?? 'front';
}
