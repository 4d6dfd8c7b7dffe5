/** What is drawn and said of a camera's history. */
import type { CameraHistory } from "../api/types";
import { stateName } from "../cameraWords";
import { type Tone } from "../words";

type Period = CameraHistory["periods"][number];

export interface Stretch {
  tone: Tone;
  /** Shares of the time that is shown, from its start. */
  from: number;
  to: number;
}

/** From when on there is something to show: a new camera's history begins with the camera. */
export const shownSince = ({ since, periods }: CameraHistory): number =>
  Math.max(Date.parse(since), Date.parse(periods.at(-1)?.started_at ?? since));

/** The periods as stretches of a bar until now, oldest first. */
export function stretches(history: CameraHistory, nowMs: number): Stretch[] {
  const start = shownSince(history);
  const share = (time: number) => Math.min(Math.max((time - start) / (nowMs - start), 0), 1);
  return [...history.periods].reverse().map(({ state, started_at, ended_at }) => ({
    tone: stateName(state).tone,
    from: share(Date.parse(started_at)),
    to: ended_at ? share(Date.parse(ended_at)) : 1,
  }));
}

/** Everything but the time in which all was well, or the camera was only being opened; newest first. */
export const troublesOf = ({ periods }: CameraHistory): Period[] =>
  periods.filter(({ state }) => state !== "streaming" && state !== "connecting");

/** "99.98 %": never 100 % of a time in which something was amiss. */
export function uptimeWords(uptime: number | null | undefined): string {
  if (uptime === null || uptime === undefined) return "–";
  if (uptime === 1) return "100 %";
  const percent = Math.min(uptime * 100, 99.99);
  return `${percent.toFixed(percent > 99 ? 2 : 1)} %`;
}

const CLOCK = { hour: "2-digit", minute: "2-digit" } as const;

/** "03:12–03:14", with the day where it isn't today. */
export function whenWords({ started_at, ended_at }: Period, nowMs: number): string {
  const start = new Date(started_at);
  const end = ended_at ? new Date(ended_at) : null;
  const today = new Date(nowMs).toDateString();
  const clock = (time: Date) => time.toLocaleTimeString([], CLOCK);
  const day = (time: Date) => time.toLocaleDateString([], { day: "numeric", month: "short" });
  const from = start.toDateString() === today ? clock(start) : `${day(start)} ${clock(start)}`;
  if (!end) return `since ${from}`;
  if (clock(start) === clock(end) && start.toDateString() === end.toDateString()) return from;
  const isSameDay = start.toDateString() === end.toDateString();
  return `${from}–${isSameDay ? clock(end) : `${day(end)} ${clock(end)}`}`;
}
