import { type FormEvent, useId, useState } from 'react';
import { corrections, reading } from '../correction';
import { useSpeech } from '../i18n';
import type { Hints, Identification } from '../schema';
import { ColorChoice, ShapeChoice } from './Choices';
import { TextField } from './Fields';

interface Props {
  answer: Identification;
  hints: Hints;
  onAgain: (hints: Hints) => void;
  open: boolean;
}

/** What was read, to be put right and asked again with the same photos. */
export function CorrectForm({ answer, hints, onAgain, open }: Props) {
  const { t } = useSpeech();
  const id = useId();
  const read = reading(answer);
  const [given, setGiven] = useState<Hints>({
    imprint: hints.imprint || read.imprint,
    shape: hints.shape || read.shape,
    color: hints.color || read.color,
  });
  const set = (field: keyof Hints) => (value: string) => setGiven({ ...given, [field]: value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAgain(corrections(read, given, hints));
  };
  return (
    <details className="correct" open={open}>
      <summary className="button">{t.correct.title}</summary>
      <p>{t.correct.text}</p>
      <form onSubmit={submit}>
        <TextField
          id={id}
          label={t.field.imprint}
          help={t.field.imprintHelp}
          value={given.imprint}
          onChange={set('imprint')}
        />
        <ShapeChoice value={given.shape} onChange={set('shape')} />
        <ColorChoice value={given.color} onChange={set('color')} />
        <div className="actions">
          <button type="submit" className="button main">
            {t.correct.again}
          </button>
        </div>
      </form>
    </details>
  );
}
