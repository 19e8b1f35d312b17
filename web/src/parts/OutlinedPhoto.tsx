import { useEffect, useRef } from 'react';
import { useSpeech } from '../i18n';
import { type Photo, show } from '../photo';
import type { FoundPill, Shot } from '../shot';

interface Props {
  photo: Photo;
  shot: Shot;
  label: string;
  onChoose: (index: number) => void;
}

/** The photo with every found pill outlined; where there are several, each is a button. */
export function OutlinedPhoto({ photo, shot, label, onChoose }: Props) {
  const { t } = useSpeech();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) show(photo, { x: 0, y: 0, width: photo.width, height: photo.height }, canvas.current, 1000);
  }, [photo]);
  const pills = shot.finding.state === 'done' ? shot.finding.pills : [];
  return (
    <div className="outlined">
      <canvas ref={canvas} role="img" aria-label={label} />
      <svg viewBox={`0 0 ${photo.width} ${photo.height}`} aria-hidden="true" data-testid="outline">
        {pills.map((pill, index) => (
          <Outline key={pill.box.join()} pill={pill} chosen={index === shot.chosen} thick={photo.width / 200} />
        ))}
      </svg>
      {pills.length > 1 &&
        pills.map((pill, index) => (
          <button
            key={pill.box.join()}
            type="button"
            className="spot"
            aria-label={t.found.choose(index + 1)}
            aria-pressed={index === shot.chosen}
            style={placed(pill, photo)}
            onClick={() => onChoose(index)}
          />
        ))}
    </div>
  );
}

function Outline({ pill, chosen, thick }: { pill: FoundPill; chosen: boolean; thick: number }) {
  const [x1, y1, x2, y2] = pill.box;
  const corners: [number, number][] = [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
  ];
  const points = (pill.polygon.length > 2 ? pill.polygon : corners).map((point) => point.join()).join(' ');
  return (
    <g className={chosen ? 'outline chosen' : 'outline'}>
      <polygon points={points} className="outline-edge" strokeWidth={thick * 2.2} />
      <polygon points={points} className="outline-line" strokeWidth={thick} />
    </g>
  );
}

/** Over its pill, in percent of the photo. */
function placed(pill: FoundPill, photo: Photo) {
  const [x1, y1, x2, y2] = pill.box;
  return {
    left: `${(100 * x1) / photo.width}%`,
    top: `${(100 * y1) / photo.height}%`,
    width: `${(100 * (x2 - x1)) / photo.width}%`,
    height: `${(100 * (y2 - y1)) / photo.height}%`,
  };
}
