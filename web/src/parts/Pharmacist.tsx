import { useSpeech } from '../i18n';

/** The one thing nobody may miss. Beside medicines its first line stays in sight while the rest scrolls by. */
export function Pharmacist() {
  const { t } = useSpeech();
  return (
    <>
      <p className="pharmacist-line" role="note">
        <strong>{t.pharmacist.title}</strong>
      </p>
      <p className="pharmacist-text">{t.pharmacist.text}</p>
    </>
  );
}
