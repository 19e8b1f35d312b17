import { useId } from 'react';
import { useSpeech } from '../i18n';
import { COLORS, SHAPES } from '../schema';
import { ShapeIcon } from './ShapeIcon';

interface Props {
  value: string;
  onChange: (value: string) => void;
}

/** One shape, or any: pictures with their names. */
export function ShapeChoice({ value, onChange }: Props) {
  const { t } = useSpeech();
  return (
    <Choice
      legend={t.field.shape}
      options={SHAPES}
      names={t.shape}
      picture={(shape) => <ShapeIcon shape={shape} />}
      value={value}
      onChange={onChange}
    />
  );
}

/** One colour, or any. */
export function ColorChoice({ value, onChange }: Props) {
  const { t } = useSpeech();
  return (
    <Choice
      legend={t.field.color}
      options={COLORS}
      names={t.color}
      picture={(color) => <span className={`swatch ${color.replace(' ', '-')}`} />}
      value={value}
      onChange={onChange}
    />
  );
}

interface ChoiceProps<T extends string> extends Props {
  legend: string;
  options: readonly T[];
  names: Record<string, string>;
  picture: (option: T) => React.ReactNode;
}

function Choice<T extends string>({ legend, options, names, picture, value, onChange }: ChoiceProps<T>) {
  const { t } = useSpeech();
  const group = useId();
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      <div className="chips">
        {(['', ...options] as (T | '')[]).map((option) => (
          <label key={option} className="chip">
            <input
              type="radio"
              className="unseen"
              name={group}
              checked={value === option}
              onChange={() => onChange(option)}
            />
            {option !== '' && picture(option)}
            <span>{option === '' ? t.field.any : names[option]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
