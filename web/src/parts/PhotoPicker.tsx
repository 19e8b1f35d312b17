import { type ChangeEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useSpeech } from '../i18n';
import type { SideName } from '../schema';

interface Props {
  side: SideName;
  /** False while the picker is out of sight: photos pasted or dropped then are not for it. */
  active: boolean;
  /** The way has begun: the reader is led to this step. */
  focus: boolean;
  onFile: (file: File) => void;
  children: ReactNode;
}

/** One step: a photo from the camera, a file, dropped anywhere on the page, or pasted. */
export function PhotoPicker({ side, active, focus, onFile, children }: Props) {
  const { t } = useSpeech();
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus && side === 'front') heading.current?.focus(); // the other side's step comes up beside a photo to look at
  }, [focus, side]);
  const over = useGiven(active, onFile);
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file) onFile(file);
    event.target.value = ''; // the same file may be chosen again
  };
  return (
    <section className={over ? 'picker over' : 'picker'}>
      <p className="step">{t.pick.step(side === 'front' ? 1 : 2, 2)}</p>
      <h2 ref={heading} tabIndex={-1}>
        {side === 'front' ? t.pick.frontTitle : t.pick.backTitle}
      </h2>
      {side === 'front' ? (
        <ul className="tips">
          {t.pick.tips.map((tip) => (
            <li key={tip}>{tip}</li>
          ))}
        </ul>
      ) : (
        <p>{t.pick.backWhy}</p>
      )}
      <div className="actions wide">
        <label className="button main touch-only" htmlFor={`${id}c`}>
          {t.pick.camera}
        </label>
        <input
          id={`${id}c`}
          className="unseen touch-only"
          type="file"
          accept="image/*"
          capture="environment"
          onChange={choose}
        />
        <label className="button main-for-mouse" htmlFor={`${id}f`}>
          {t.pick.file}
        </label>
        <input id={`${id}f`} className="unseen" type="file" accept="image/*" data-testid="file" onChange={choose} />
        {children}
      </div>
      <p className="mouse-only quiet">{over ? t.pick.dropNow : t.pick.drop}</p>
    </section>
  );
}

/** Photos pasted, or dropped anywhere on the page. Returns whether a file is being dragged over it. */
function useGiven(active: boolean, onFile: (file: File) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!active) return;
    const controller = new AbortController();
    const { signal } = controller;
    const given = (data: DataTransfer | null) => {
      setOver(false);
      const file = data?.files[0];
      if (file) onFile(file);
    };
    document.addEventListener('paste', (event) => given(event.clipboardData), { signal });
    document.addEventListener('drop', (event) => given(event.dataTransfer), { signal });
    document.addEventListener('dragover', (event) => setOver(event.dataTransfer?.types.includes('Files') ?? false), {
      signal,
    });
    document.addEventListener('dragleave', (event) => event.relatedTarget === null && setOver(false), { signal });
    return () => {
      setOver(false);
      controller.abort();
    };
  }, [active, onFile]);
  return over;
}
