import { useEffect, useRef } from 'react';
import { rival } from '../compare';
import { useSpeech } from '../i18n';
import type { Hints, Identification } from '../schema';
import type { Side } from '../usePhotos';
import { CandidateCard } from './CandidateCard';
import { Compare } from './Compare';
import { CorrectForm } from './CorrectForm';
import { Seen } from './Seen';

interface Props {
  answer: Identification;
  front: Side | undefined;
  back: Side | undefined;
  hints: Hints;
  onAgain: (hints: Hints) => void;
  onRestart: () => void;
  onRetake: () => void;
}

/** The decision first, then the candidates, then what the person can do about it. */
export function AnswerView({ answer, front, back, hints, onAgain, onRestart, onRetake }: Props) {
  const { t } = useSpeech();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const [first] = answer.candidates;
  const second = rival(answer.candidates);
  const unidentified = answer.decision === 'unidentified';
  const note =
    answer.decision === 'unidentified' ? answer.reason && t.reason[answer.reason] : t.decisionNote[answer.decision];
  return (
    <div className="answer">
      <section className={`decision ${answer.decision}`}>
        <h2 ref={heading} tabIndex={-1}>
          {answer.decision === 'identified' && first
            ? t.decision.identified(first.name)
            : t.decision[unidentified ? 'unidentified' : 'candidates']}
        </h2>
        <p>{note}</p>
        {answer.missing.length > 0 && (
          <p className="quiet">{t.missing(answer.missing.map((name) => t.missingName[name] ?? name).join(', '))}</p>
        )}
        <div className="pharmacist">
          <strong>{t.pharmacist.title}</strong> {t.pharmacist.text}
        </div>
        <div className="actions">
          <button type="button" className="button" onClick={onRestart}>
            {t.restart}
          </button>
          <button type="button" className="button" onClick={onRetake}>
            {t.pick.retake}
          </button>
        </div>
      </section>
      <Seen answer={answer} front={front} back={back} />
      {answer.candidates.length > 0 && (
        <section className="bare">
          {unidentified && <h2>{t.nearest}</h2>}
          <ol className="cards">
            {answer.candidates.map((candidate) => (
              <CandidateCard key={candidate.item_id} candidate={candidate} front={front} back={back} />
            ))}
          </ol>
        </section>
      )}
      {!unidentified && first && second && <Compare first={first} second={second} />}
      <CorrectForm answer={answer} hints={hints} onAgain={onAgain} />
    </div>
  );
}
