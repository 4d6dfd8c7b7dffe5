/** Who is in view now, over all cameras on screen; told to React at most twice a second. */
import { Store } from "../app/store";
import { nowMs } from "./clock";
import type { Answer, LiveEmotion, LiveFace, LiveFrame, LiveTiredness } from "./protocol";

export interface Seen {
  /** The person where known, else the track. */
  key: string;
  cameraId: string;
  trackId: string;
  answer: Answer | null;
  personId: string | null;
  personName: string | null;
  strangerId: string | null;
  strangerLabel: string | null;
  emotion: LiveEmotion | null;
  tiredness: LiveTiredness | null;
  sinceMs: number;
  lastMs: number;
}

const GONE_AFTER_MS = 2_500;
const TELL_EVERY_MS = 500;

export class Presence {
  /** Newest first. */
  readonly seen = new Store<Seen[]>([]);
  private readonly byTrack = new Map<string, Seen>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  add(frame: LiveFrame, atMs: number = nowMs()): void {
    for (const face of frame.faces) {
      if (face.ignored) {
        this.byTrack.delete(face.track_id);
        continue;
      }
      const before = this.byTrack.get(face.track_id);
      this.byTrack.set(face.track_id, describe(frame.camera_id, face, before?.sinceMs ?? atMs, atMs));
    }
    if (!this.timer && this.byTrack.size > 0) this.timer = setTimeout(this.tell, TELL_EVERY_MS);
  }

  private tell = (): void => {
    this.timer = null;
    this.seen.set(this.current(nowMs()));
    if (this.byTrack.size > 0) this.timer = setTimeout(this.tell, TELL_EVERY_MS);
  };

  /** Forget who has gone, and list the others: a known person once per camera, however many tracks. */
  current(atMs: number): Seen[] {
    const byKey = new Map<string, Seen>();
    for (const [trackId, seen] of this.byTrack) {
      if (atMs - seen.lastMs > GONE_AFTER_MS) {
        this.byTrack.delete(trackId);
        continue;
      }
      const other = byKey.get(seen.key);
      const sinceMs = Math.min(seen.sinceMs, other?.sinceMs ?? seen.sinceMs);
      byKey.set(seen.key, { ...(other && other.lastMs > seen.lastMs ? other : seen), sinceMs });
    }
    return [...byKey.values()].sort((a, b) => b.sinceMs - a.sinceMs || a.key.localeCompare(b.key));
  }
}

function describe(cameraId: string, face: LiveFace, sinceMs: number, lastMs: number): Seen {
  const who = face.person_id ?? face.stranger_id ?? null;
  return {
    key: who === null ? face.track_id : `${who} on ${cameraId}`,
    cameraId,
    trackId: face.track_id,
    answer: face.answer,
    personId: face.person_id,
    personName: face.person_name,
    strangerId: face.stranger_id ?? null,
    strangerLabel: face.stranger_label ?? null,
    emotion: face.emotion,
    tiredness: face.tiredness ?? null,
    sinceMs,
    lastMs,
  };
}
