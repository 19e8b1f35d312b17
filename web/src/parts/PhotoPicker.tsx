import { type ChangeEvent, type DragEvent, useEffect, useId, useState } from 'react';
import { useSpeech } from '../i18n';

interface Props {
  /** False while the picker is out of sight: pasted photos then go elsewhere. */
  active: boolean;
  onFile: (file: File) => void;
}

/** Camera, file, drag and drop, paste: whichever the device has. */
export function PhotoPicker({ active, onFile }: Props) {
  const { t } = useSpeech();
  const id = useId();
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!active) return;
    const paste = (event: ClipboardEvent) => {
      const file = event.clipboardData?.files[0];
      if (file) onFile(file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, [active, onFile]);

  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file) onFile(file);
    event.target.value = ''; // the same file may be chosen again
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) onFile(file);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut; the buttons inside do the same
    <div
      className={over ? 'picker over' : 'picker'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <ul className="tips">
        {t.pick.tips.map((tip) => (
          <li key={tip}>{tip}</li>
        ))}
      </ul>
      <div className="actions">
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
        <label className="button" htmlFor={`${id}f`}>
          {t.pick.file}
        </label>
        <input id={`${id}f`} className="unseen" type="file" accept="image/*" data-testid="file" onChange={choose} />
      </div>
      <p className="mouse-only quiet">{t.pick.drop}</p>
    </div>
  );
}
