import { useEffect, useRef } from 'react';
import { useSpeech } from '../i18n';
import type { Asking } from '../useIdentify';

/** How far a question is. */
export function Working({ asking, onCancel }: { asking: Asking; onCancel: () => void }) {
  const { t } = useSpeech();
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    scrollTo(0, 0);
    section.current?.focus();
  }, []);
  const share = asking.state === 'sending' && asking.share > 0 ? asking.share : null;
  const said =
    asking.state === 'thinking' ? t.work.thinking : share === null ? t.work.preparing : t.work.sending(percent(share));
  return (
    <section ref={section} tabIndex={-1} className="working">
      <p role="status">{said}</p>
      <progress max={1} value={share ?? undefined} aria-label={t.work.label} />
      <button type="button" className="button" onClick={onCancel}>
        {t.work.cancel}
      </button>
    </section>
  );
}

/** In steps of five: a screen reader says each. */
function percent(share: number): number {
  return Math.round(share * 20) * 5;
}
