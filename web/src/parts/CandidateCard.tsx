import { imprints, outOf100, sureness } from '../compare';
import { useSpeech } from '../i18n';
import type { Messages } from '../i18n/en';
import type { Candidate, Look } from '../schema';
import { drawingAddress } from '../service';
import type { Side } from '../usePhotos';
import { CutOut } from './CutOut';
import { SameLook } from './SameLook';

const EVIDENCE = ['imprint', 'visual', 'color', 'shape', 'form'] as const;

interface Props {
  candidate: Candidate;
  front?: Side | undefined;
  back?: Side | undefined;
  /** Without a photo there is nothing to be sure about: search and gallery show the pill only. */
  plain?: boolean;
}

/** One medicine: its drawing beside the person's own pill, how sure, and why. */
export function CandidateCard({ candidate, front, back, plain = false }: Props) {
  const { language, t } = useSpeech();
  const description = inWords(candidate, t);
  return (
    <li className="card">
      <h3>{candidate.name}</h3>
      <div className="pictures">
        {front && (
          <figure>
            <div className="cutouts">
              <CutOut side={front} label={t.found.photoLabel(t.side.front)} />
              {back && <CutOut side={back} label={t.found.photoLabel(t.side.back)} />}
            </div>
            <figcaption>{t.card.yours}</figcaption>
          </figure>
        )}
        <figure>
          <img
            className="drawing"
            src={drawingAddress(candidate.drawing_url, language)}
            alt={t.card.drawing(description)}
            width={440}
            height={240}
            loading="lazy"
          />
          <figcaption>{t.card.catalogue}</figcaption>
        </figure>
      </div>
      {!plain && (
        <p className="sure">
          {t.card.sureLabel}: <strong>{t.sureness[sureness(candidate.score)]}</strong>{' '}
          <span className="quiet">({t.card.sure(outOf100(candidate.score))})</span>
        </p>
      )}
      <dl className="facts">
        <dt>{t.card.imprint}</dt>
        <dd>{imprintInWords(candidate, t)}</dd>
        <dt>{t.card.look}</dt>
        <dd>{lookInWords(candidate, t)}</dd>
        <dt>{t.card.maker}</dt>
        <dd>{candidate.manufacturer ?? t.card.unknown}</dd>
        <dt>{t.field.catalog}</dt>
        <dd>
          {t.catalog[candidate.catalog] ?? candidate.catalog} · {candidate.item_id.split(':').slice(1).join(':')}
        </dd>
      </dl>
      {!plain && (
        <dl className="evidence" aria-label={t.card.why}>
          {EVIDENCE.map((kind) => {
            const value = candidate.evidence[kind];
            return (
              <div key={kind}>
                <dt>{t.evidence[kind]}</dt>
                <dd>
                  {value === null ? (
                    <span className="quiet">{t.card.noEvidence}</span>
                  ) : (
                    <>
                      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                        <rect className="bar-rest" width={100} height={10} />
                        <rect className="bar" width={value * 100} height={10} />
                      </svg>
                      {Math.round(value * 100)} %
                    </>
                  )}
                </dd>
              </div>
            );
          })}
        </dl>
      )}
      {candidate.same_appearance.length > 0 && <SameLook ids={candidate.same_appearance} />}
    </li>
  );
}

function imprintInWords(look: Look, t: Messages): string {
  return (
    imprints(look)
      ?.map((text) => text || t.card.blank)
      .join(' / ') ?? t.card.unknown
  );
}

function lookInWords(look: Look, t: Messages): string {
  const words = [
    look.colors.map((color) => t.color[color] ?? color).join(' + '),
    look.shape && (t.shape[look.shape] ?? look.shape),
    look.form && (t.form[look.form] ?? look.form),
  ];
  return words.filter(Boolean).join(', ') || t.card.unknown;
}

function inWords(look: Look, t: Messages): string {
  return `${lookInWords(look, t)}; ${imprintInWords(look, t)}`;
}
