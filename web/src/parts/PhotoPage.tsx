import { useCallback, useEffect, useRef, useState } from 'react';
import { useSpeech } from '../i18n';
import type { Place } from '../place';
import type { Hints, SideName } from '../schema';
import { isReady } from '../shot';
import { NO_HINTS, useIdentify } from '../useIdentify';
import { usePhotos } from '../usePhotos';
import { AnswerView } from './AnswerView';
import { FailureNotice } from './FailureNotice';
import { PhotoPicker } from './PhotoPicker';
import { PhotoSlot } from './PhotoSlot';
import { Working } from './Working';

interface Props {
  place: Place;
  go: (place: Place) => void;
}

/** The whole way: first side, other side, answer. */
export function PhotoPage({ place, go }: Props) {
  const { t } = useSpeech();
  const photos = usePhotos();
  const { asking, ask, reset } = useIdentify();
  const [hints, setHints] = useState<Hints>(NO_HINTS);
  const [latest, setLatest] = useState<SideName>('front');
  const [begun, setBegun] = useState(false);
  const { front, back } = photos.sides;
  const next = !front ? 'front' : isReady(front.shot) && !back ? 'back' : null;
  const { take } = photos;
  const onFile = useCallback(
    (file: File) => {
      if (!next) return;
      setBegun(true);
      setLatest(next);
      void take(next, file);
    },
    [next, take],
  );
  const trouble = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (asking.state === 'failed') trouble.current?.scrollIntoView({ block: 'center' });
  }, [asking.state]);

  const start = async (newHints: Hints) => {
    if (!front) return;
    setHints(newHints);
    if (await ask(front, back, newHints)) go('answer');
  };
  const restart = () => {
    reset();
    photos.clear();
    setHints(NO_HINTS);
    go('photo');
  };
  const replace = (name: SideName) => {
    reset();
    setHints(NO_HINTS); // what was put right was about another photo
    photos.drop(name);
    go('photo');
  };
  const returnToPhotos = () => {
    for (const name of ['front', 'back'] as const) {
      if (photos.sides[name]?.shot.finding.state === 'failed') photos.look(name);
    }
    go('photo');
  };

  if (asking.state === 'answered' && place === 'answer') {
    return (
      <AnswerView
        answer={asking.answer}
        front={front}
        back={back}
        hints={hints}
        onAgain={(corrected) => void start(corrected)}
        onRestart={restart}
        onPhotos={returnToPhotos}
        onRetake={replace}
      />
    );
  }
  const working = asking.state === 'sending' || asking.state === 'thinking';
  if (working) return <Working asking={asking} onCancel={reset} />;
  const ready = front && isReady(front.shot) && (!back || isReady(back.shot));
  return (
    <>
      <div className="slots">
        {(['front', 'back'] as const).map((name) => {
          const side = photos.sides[name];
          return side ? (
            <PhotoSlot
              key={name}
              title={t.side[name]}
              side={side}
              settled={name !== latest && isReady(side.shot)}
              onChoose={(index) => photos.change(name, (shot) => ({ ...shot, chosen: index }))}
              onAnyway={() => photos.change(name, (shot) => ({ ...shot, anyway: true }))}
              onLook={() => photos.look(name)}
              onReplace={() => replace(name)}
            />
          ) : (
            next === name && (
              <PhotoPicker key={name} side={name} active={place === 'photo'} focus={begun} onFile={onFile}>
                {name === 'back' && (
                  <button type="button" className="button" onClick={() => void start(hints)}>
                    {t.pick.skipBack}
                  </button>
                )}
              </PhotoPicker>
            )
          );
        })}
      </div>
      <p role="status" className="opening">
        {photos.opening === 'busy' && t.pick.loading}
      </p>
      {photos.opening === 'not_photo' && (
        <p role="alert" className="notice">
          {t.pick.notPhoto}
        </p>
      )}
      {asking.state === 'failed' && (
        <div ref={trouble}>
          <FailureNotice failure={asking.failure} onRetry={() => void start(hints)} />
        </div>
      )}
      {ready && back && asking.state !== 'failed' && (
        <div className="actions wide go">
          <button type="button" className="button main" onClick={() => void start(hints)}>
            {t.pick.identify}
          </button>
        </div>
      )}
    </>
  );
}
