import type { ReactNode } from 'react';
import { useSpeech } from '../i18n';
import type { Identification } from '../schema';
import type { Side } from '../usePhotos';
import { CutOut } from './CutOut';

interface Props {
  answer: Identification;
  front: Side | undefined;
  back: Side | undefined;
  /** What can be done about it. */
  children: ReactNode;
}

/** What the service saw on each photo, so that a wrong reading is noticed. */
export function Seen({ answer, front, back, children }: Props) {
  const { t } = useSpeech();
  const photos = { front, back };
  return (
    <section className="seen">
      <h2>{t.seen.title}</h2>
      <div className="slots">
        {answer.sides.map((seen) => {
          const side = photos[seen.side];
          const color = seen.colors.filter(({ probability }) => probability >= 0.5).map(({ name }) => t.color[name]);
          return (
            <figure key={seen.side}>
              {side && <CutOut side={side} label={t.found.photoLabel(t.side[seen.side])} />}
              <figcaption>
                <strong>{t.side[seen.side]}</strong>
                <dl>
                  <dt>{t.seen.letters}</dt>
                  <dd className="imprint">{seen.imprint?.text || t.seen.none}</dd>
                  <dt>{t.seen.color}</dt>
                  <dd>{color.join(', ') || '–'}</dd>
                  <dt>{t.seen.shape}</dt>
                  <dd>{seen.shape ? t.shape[seen.shape.name] : '–'}</dd>
                  <dt>{t.seen.form}</dt>
                  <dd>{seen.form ? t.form[seen.form.name] : '–'}</dd>
                </dl>
              </figcaption>
            </figure>
          );
        })}
      </div>
      {children}
    </section>
  );
}
