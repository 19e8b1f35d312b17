interface FieldProps {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
}

export function TextField({ id, label, value, onChange, help }: FieldProps & { help?: string }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={value}
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={help && `${id}h`}
        onChange={(event) => onChange(event.target.value)}
      />
      {help && (
        <p id={`${id}h`} className="quiet">
          {help}
        </p>
      )}
    </div>
  );
}

interface SelectProps extends FieldProps {
  /** What no choice is called. */
  any: string;
  options: readonly string[];
  names: Record<string, string>;
}

export function SelectField({ id, label, value, onChange, any, options, names }: SelectProps) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{any}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {names[option] ?? option}
          </option>
        ))}
      </select>
    </div>
  );
}
