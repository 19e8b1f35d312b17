/** How large a photo may be, by how fast earlier ones went out: the service stops listening after ten seconds. */

/** Seconds that an upload may take, so that enough of the service's time is left for its work. */
const UPLOAD_S = 5;
/** Uploads smaller than this say more about the connection's start than about its speed, bytes. */
const TELLING_BYTES = 8_000;

/** Long sides to send, px, best first: more does not help the service, with less the letters go. */
export const LONG_SIDES = [1280, 960, 640] as const;

let bytesPerSecond = Number.POSITIVE_INFINITY;

/** Notes that `bytes` went out in `seconds`; the newest upload counts. */
export function notePace(bytes: number, seconds: number): void {
  if (bytes >= TELLING_BYTES && seconds > 0) bytesPerSecond = bytes / seconds;
}

/** Notes that an upload took too long for its speed to be known: the next photos go out as small as they may. */
export function noteTooSlow(): void {
  bytesPerSecond = 0;
}

/** Whether an upload of so many bytes is done in time. */
export function inTime(bytes: number): boolean {
  return bytes <= bytesPerSecond * UPLOAD_S;
}
