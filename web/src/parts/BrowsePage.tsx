import { useEffect, useId, useState } from 'react';
import { useSpeech } from '../i18n';
import { COLORS, type Description, FORMS, SHAPES } from '../schema';
import { filled } from '../service';
import { useSearch } from '../useSearch';
import { EMPTY } from './DescriptionFields';
import { FailureNotice } from './FailureNotice';
import { SelectField, TextField } from './Fields';
import { Found } from './Found';
import { Pharmacist } from './Pharmacist';

const SHOWN = 48;
const TYPING_MS = 350;

/** The shipped catalogues, pill by pill; every choice narrows at once. */
export function BrowsePage() {
  const { t } = useSpeech();
  const id = useId();
  const [description, setDescription] = useState<Description>(EMPTY);
  const { searching, start, dates } = useSearch(SHOWN);
  useEffect(() => {
    const timer = setTimeout(() => void start(asked(description)), TYPING_MS);
    return () => clearTimeout(timer);
  }, [description, start]);
  const field = (name: keyof Description) => ({
    id: id + name,
    value: description[name],
    onChange: (value: string) => setDescription({ ...description, [name]: value }),
  });
  return (
    <>
      <section>
        <h2>{t.browse.title}</h2>
        <form className="filters" onSubmit={(event) => event.preventDefault()}>
          <SelectField {...field('shape')} label={t.field.shape} any={t.field.any} options={SHAPES} names={t.shape} />
          <SelectField {...field('color')} label={t.field.color} any={t.field.any} options={COLORS} names={t.color} />
          <SelectField {...field('form')} label={t.field.form} any={t.field.any} options={FORMS} names={t.form} />
          <SelectField
            {...field('catalogs')}
            label={t.field.catalog}
            any={t.field.all}
            options={Object.keys(dates ?? t.catalog)}
            names={t.catalog}
          />
          <TextField {...field('imprint')} label={t.card.imprint} />
          <TextField {...field('name')} label={t.field.name} />
        </form>
      </section>
      <Pharmacist />
      {searching.state === 'failed' && (
        <FailureNotice failure={searching.failure} onRetry={() => void start(asked(description))} />
      )}
      <p role="status" className="count">
        {searching.state === 'busy' && t.work.searching}
        {searching.state === 'found' && counted(searching.candidates.length, t)}
      </p>
      {searching.state === 'found' && <Found candidates={searching.candidates} dates={dates} />}
    </>
  );
}

/** The service wants one attribute at least: without any, tablets are what most pills are. */
function asked(description: Description): Description {
  return filled({ ...description, catalogs: '' }).length ? description : { ...description, form: 'tablet' };
}

function counted(count: number, t: ReturnType<typeof useSpeech>['t']): string {
  if (count === 0) return t.describe.noResults;
  return count < SHOWN ? t.browse.all(count) : t.browse.text(count);
}
