import { useEffect, useRef } from 'react';
import { useSpeech } from '../i18n';
import type { Side } from '../usePhotos';
import { OutlinedPhoto } from './OutlinedPhoto';

interface Props {
  title: string;
  side: Side;
  /** Nothing is left to do about this photo: it makes room for the next step. */
  settled: boolean;
  onChoose: (index: number) => void;
  onAnyway: () => void;
  onLook: () => void;
  onReplace: () => void;
}

/** A photo that was taken, and what was found on it. */
export function PhotoSlot({ title, side, settled, onChoose, onAnyway, onLook, onReplace }: Props) {
  const { t } = useSpeech();
  const { photo, shot } = side;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!settled) heading.current?.focus();
  }, [settled]);
  const none = shot.finding.state === 'done' && shot.finding.pills.length === 0;
  return (
    <section className={settled ? 'slot settled' : 'slot'} aria-label={title}>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <OutlinedPhoto photo={photo} shot={shot} label={t.found.photoLabel(title)} onChoose={onChoose} />
      <p role="status" className={none ? 'trouble' : undefined}>
        {said(side, t.found)}
      </p>
      {none && <p>{t.reason.no_pill}</p>}
      <div className="actions">
        {shot.finding.state === 'failed' && (
          <button type="button" className="button" onClick={onLook}>
            {t.found.again}
          </button>
        )}
        <button type="button" className={none && !shot.anyway ? 'button main' : 'button'} onClick={onReplace}>
          {t.pick.retake}
        </button>
        {none && !shot.anyway && (
          <button type="button" className="button" onClick={onAnyway}>
            {t.found.anyway}
          </button>
        )}
      </div>
    </section>
  );
}

function said({ shot }: Side, words: ReturnType<typeof useSpeech>['t']['found']): string {
  if (shot.finding.state === 'looking') return words.looking;
  if (shot.finding.state === 'failed') return words.failed;
  const count = shot.finding.pills.length;
  if (count === 0) return words.none;
  if (count === 1) return words.one;
  return shot.chosen === null ? words.many(count) : words.chosen(shot.chosen + 1, count);
}
