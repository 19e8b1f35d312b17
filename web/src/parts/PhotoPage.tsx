import { useCallback, useRef, useState } from 'react';
import { useSpeech } from '../i18n';
import type { Hints } from '../schema';
import { isReady } from '../shot';
import { NO_HINTS, useIdentify } from '../useIdentify';
import { usePhotos } from '../usePhotos';
import { AnswerView } from './AnswerView';
import { FailureNotice } from './FailureNotice';
import { PhotoPicker } from './PhotoPicker';
import { PhotoSlot } from './PhotoSlot';

/** The whole way: first side, other side, answer. */
export function PhotoPage({ active }: { active: boolean }) {
  const { t } = useSpeech();
  const photos = usePhotos();
  const { asking, ask, reset } = useIdentify();
  const [hints, setHints] = useState<Hints>(NO_HINTS);
  const top = useRef<HTMLDivElement>(null);
  const { front, back } = photos.sides;
  const next = !front ? 'front' : isReady(front.shot) && !back ? 'back' : null;
  const { take } = photos;
  const onFile = useCallback((file: File) => void (next && take(next, file)), [next, take]);

  const start = (newHints: Hints) => {
    if (!front) return;
    setHints(newHints);
    top.current?.scrollIntoView();
    void ask(front, back, newHints);
  };
  const restart = () => {
    reset();
    photos.clear();
    setHints(NO_HINTS);
  };

  if (asking.state === 'answered') {
    return (
      <AnswerView
        key={JSON.stringify(hints)}
        answer={asking.answer}
        front={front}
        back={back}
        hints={hints}
        onAgain={start}
        onRestart={restart}
        onRetake={reset}
      />
    );
  }
  const working = asking.state === 'sending' || asking.state === 'thinking';
  const ready = front && isReady(front.shot) && (!back || isReady(back.shot));
  return (
    <div ref={top} className="photo-page">
      <div className="slots">
        {(['front', 'back'] as const).map((name) => {
          const side = photos.sides[name];
          return (
            side && (
              <PhotoSlot
                key={name}
                title={t.side[name]}
                side={side}
                onChoose={(index) => photos.change(name, (shot) => ({ ...shot, chosen: index }))}
                onAnyway={() => photos.change(name, (shot) => ({ ...shot, anyway: true }))}
                onRetake={() => {
                  reset();
                  photos.drop(name);
                }}
              />
            )
          );
        })}
        {!working && next && (
          <section className="slot">
            <h2>{next === 'front' ? t.pick.frontTitle : t.pick.backTitle}</h2>
            {next === 'back' && <p>{t.pick.backWhy}</p>}
            <PhotoPicker active={active} onFile={onFile} />
          </section>
        )}
      </div>
      <p role="status" className="opening">
        {photos.opening === 'busy' && t.pick.loading}
      </p>
      {photos.opening === 'not_photo' && (
        <p role="alert" className="notice">
          {t.pick.notPhoto}
        </p>
      )}
      {asking.state === 'failed' && <FailureNotice failure={asking.failure} onRetry={() => start(hints)} />}
      {ready && !working && asking.state !== 'failed' && (
        <div className="actions">
          <button type="button" className={back ? 'button main' : 'button'} onClick={() => start(hints)}>
            {back ? t.pick.identify : t.pick.skipBack}
          </button>
        </div>
      )}
      {working && (
        <section className="working" aria-live="polite">
          <p>{asking.state === 'sending' ? t.work.sending(Math.round(asking.share * 100)) : t.work.thinking}</p>
          <progress
            max={1}
            value={asking.state === 'sending' ? asking.share : undefined}
            aria-label={t.work.thinking}
          />
          <button type="button" className="button" onClick={reset}>
            {t.work.cancel}
          </button>
        </section>
      )}
    </div>
  );
}
