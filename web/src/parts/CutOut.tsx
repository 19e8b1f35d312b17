import { useEffect, useRef } from 'react';
import { show } from '../photo';
import { partToShow } from '../shot';
import type { Side } from '../usePhotos';

/** The person's own pill, cut from their photo. */
export function CutOut({ side, label }: { side: Side; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) show(side.photo, partToShow(side.shot), canvas.current, 240);
  }, [side]);
  return <canvas ref={canvas} className="cutout" role="img" aria-label={label} />;
}
