import { useId } from 'react';
import { useSpeech } from '../i18n';
import { type Description, FORMS } from '../schema';
import { ColorChoice, ShapeChoice } from './Choices';
import { SelectField, TextField } from './Fields';

export const EMPTY: Description = { imprint: '', shape: '', color: '', form: '', name: '', catalogs: '' };

interface Props {
  value: Description;
  /** Ids of the catalogues to choose from. */
  catalogs: string[];
  onChange: (value: Description) => void;
}

/** The classic pill-identifier form. */
export function DescriptionFields({ value, catalogs, onChange }: Props) {
  const { t } = useSpeech();
  const id = useId();
  const field = (name: keyof Description) => ({
    id: id + name,
    value: value[name],
    onChange: (text: string) => onChange({ ...value, [name]: text }),
  });
  return (
    <>
      <TextField {...field('imprint')} label={t.field.imprint} help={t.field.imprintHelp} />
      <ShapeChoice {...field('shape')} />
      <ColorChoice {...field('color')} />
      <div className="filters">
        <SelectField {...field('form')} label={t.field.form} any={t.field.any} options={FORMS} names={t.form} />
        <SelectField
          {...field('catalogs')}
          label={t.field.catalog}
          any={t.field.all}
          options={catalogs}
          names={t.catalog}
        />
        <TextField {...field('name')} label={t.field.name} />
      </div>
    </>
  );
}
