import { useId } from 'react';
import { useSpeech } from '../i18n';
import { type Description, FORMS } from '../schema';
import { ColorChoice, ShapeChoice } from './Choices';

export const EMPTY: Description = { imprint: '', shape: '', color: '', form: '', name: '', catalogs: '' };

interface Props {
  value: Description;
  onChange: (value: Description) => void;
}

/** The classic pill-identifier form. */
export function DescriptionFields({ value, onChange }: Props) {
  const { t } = useSpeech();
  const id = useId();
  const set = (field: keyof Description) => (text: string) => onChange({ ...value, [field]: text });
  return (
    <>
      <label htmlFor={`${id}i`}>{t.field.imprint}</label>
      <input
        id={`${id}i`}
        type="text"
        value={value.imprint}
        maxLength={100}
        autoCapitalize="characters"
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${id}h`}
        onChange={(event) => set('imprint')(event.target.value)}
      />
      <p id={`${id}h`} className="quiet">
        {t.field.imprintHelp}
      </p>
      <ShapeChoice value={value.shape} onChange={set('shape')} />
      <ColorChoice value={value.color} onChange={set('color')} />
      <div className="row">
        <div>
          <label htmlFor={`${id}f`}>{t.field.form}</label>
          <select id={`${id}f`} value={value.form} onChange={(event) => set('form')(event.target.value)}>
            <option value="">{t.field.any}</option>
            {FORMS.map((form) => (
              <option key={form} value={form}>
                {t.form[form]}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label htmlFor={`${id}c`}>{t.field.catalog}</label>
          <select id={`${id}c`} value={value.catalogs} onChange={(event) => set('catalogs')(event.target.value)}>
            <option value="">{t.field.all}</option>
            {Object.entries(t.catalog).map(([catalog, name]) => (
              <option key={catalog} value={catalog}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label htmlFor={`${id}n`}>{t.field.name}</label>
          <input
            id={`${id}n`}
            type="text"
            value={value.name}
            maxLength={100}
            onChange={(event) => set('name')(event.target.value)}
          />
        </div>
      </div>
    </>
  );
}
