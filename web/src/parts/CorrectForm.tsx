import { type FormEvent, useId, useState } from 'react';
import { useSpeech } from '../i18n';
import type { Hints, Identification } from '../schema';
import { ColorChoice, ShapeChoice } from './Choices';

interface Props {
  answer: Identification;
  hints: Hints;
  onAgain: (hints: Hints) => void;
}

/** What was read, to be put right and asked again with the same photos. */
export function CorrectForm({ answer, hints, onAgain }: Props) {
  const { t } = useSpeech();
  const id = useId();
  const read = answer.sides.flatMap((side) => (side.imprint?.text ? [side.imprint.text] : [])).join(' ');
  const [imprint, setImprint] = useState(hints.imprint || read);
  const [shape, setShape] = useState(hints.shape);
  const [color, setColor] = useState(hints.color);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // what the machine read itself is no hint: only what a person wrote differently is
    onAgain({ imprint: imprint.trim() === read && !hints.imprint ? '' : imprint, shape, color });
  };
  return (
    <section className="correct">
      <h2>{t.correct.title}</h2>
      <p>{t.correct.text}</p>
      <form onSubmit={submit}>
        <label htmlFor={id}>{t.field.imprint}</label>
        <input
          id={id}
          type="text"
          value={imprint}
          maxLength={100}
          autoCapitalize="characters"
          autoComplete="off"
          spellCheck={false}
          aria-describedby={`${id}h`}
          onChange={(event) => setImprint(event.target.value)}
        />
        <p id={`${id}h`} className="quiet">
          {t.field.imprintHelp}
        </p>
        <ShapeChoice value={shape} onChange={setShape} />
        <ColorChoice value={color} onChange={setColor} />
        <div className="actions">
          <button type="submit" className="button main">
            {t.correct.again}
          </button>
        </div>
      </form>
    </section>
  );
}
