import { useSpeech } from '../i18n';
import type { Failure } from '../service';

/** Why there is no answer, and what to do about it. */
export function FailureNotice({ failure, onRetry }: { failure: Failure; onRetry: () => void }) {
  const { t } = useSpeech();
  return (
    <div role="alert" className="notice">
      <p>
        {t.failure[failure.code]} {failure.retryAfter !== null && t.retryIn(failure.retryAfter)}
      </p>
      {failure.requestId && <p className="quiet">{t.requestId(failure.requestId)}</p>}
      <button type="button" className="button" onClick={onRetry}>
        {t.retry}
      </button>
    </div>
  );
}
