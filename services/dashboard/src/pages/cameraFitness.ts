/** How fit a camera is for faces, and what was saved, in words and bars. */
import type { CameraWork, Fitness, FitnessReport } from "../api/types";
import type { Tone } from "../words";

const FITNESS: Record<Fitness["fitness"], { tone: Tone; word: string }> = {
  good: { tone: "good", word: "Good for faces" },
  fair: { tone: "warn", word: "Fair for faces" },
  poor: { tone: "bad", word: "Poor for faces" },
  unknown: { tone: "off", word: "Not judged yet" },
};

export const fitnessWords = (fitness: Pick<Fitness, "fitness">): { tone: Tone; word: string } =>
  FITNESS[fitness.fitness];

type Measure = "face_px" | "sharpness" | "evenness" | "yaw" | "pitch" | "brightness";

interface Scale {
  measure: Measure;
  name: string;
  from: number;
  to: number;
  /** What the ends of the scale mean. */
  ends: [string, string];
  words: (value: number) => string;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Yaw and pitch as about the angle they stand for: 0.5 is 30 degrees. */
const degrees = (value: number): string =>
  `${Math.round((Math.atan(value * 2 * Math.tan(Math.PI / 6)) * 180) / Math.PI)}°`.replace("-", "−");

export const SCALES: readonly Scale[] = [
  {
    measure: "face_px",
    name: "Face size",
    from: 0,
    to: 240,
    ends: ["small", "large"],
    words: (value) => `${Math.round(value)} px`,
  },
  {
    measure: "sharpness",
    name: "Sharpness",
    from: 0,
    to: 160,
    ends: ["blurred", "sharp"],
    words: (value) => value.toFixed(0),
  },
  { measure: "evenness", name: "Steadiness", from: 0, to: 1, ends: ["smeared", "steady"], words: percent },
  {
    measure: "brightness",
    name: "Light",
    from: 0,
    to: 255,
    ends: ["dark", "bright"],
    words: (value) => value.toFixed(0),
  },
  { measure: "yaw", name: "Turned aside", from: 0, to: 1, ends: ["frontal", "profile"], words: degrees },
  {
    measure: "pitch",
    name: "Seen from",
    from: -1,
    to: 1,
    ends: ["below", "above"],
    words: (value) => (value > 0 ? `+${degrees(value)}` : degrees(value)),
  },
];

export interface Bar {
  count: number;
  /** Whether the values in it are good enough. */
  isEnough: boolean;
}

export interface Histogram {
  scale: Scale;
  bars: Bar[];
  median: number;
  enough: number;
  /** "60 px or more": what a view needs. */
  needs: string;
}

const BARS = 20;

/** Sort the views of a camera into bars; what is beyond the ends of the scale is in the last ones. */
export function histogram(report: FitnessReport, scale: Scale): Histogram {
  const limits = report.needed[scale.measure] ?? { at_least: null, at_most: null };
  const holds = (value: number) =>
    (limits.at_least === null || value >= limits.at_least) &&
    (limits.at_most === null || value <= limits.at_most);
  const values = report.faces.map((face) => face[scale.measure]);
  const width = (scale.to - scale.from) / BARS;
  const bars = Array.from({ length: BARS }, (_, index) => ({
    count: 0,
    isEnough: holds(scale.from + (index + 0.5) * width),
  }));
  for (const value of values) {
    const index = Math.min(BARS - 1, Math.max(0, Math.floor((value - scale.from) / width)));
    bars[index]!.count += 1;
  }
  return {
    scale,
    bars,
    median: median(values),
    enough: values.filter(holds).length,
    needs: needsWords(limits, scale),
  };
}

function needsWords(limits: FitnessReport["needed"][string], { words }: Scale): string {
  const { at_least: least, at_most: most } = limits;
  if (least !== null && most !== null) return `${words(least)} to ${words(most)}`;
  if (least !== null) return `${words(least)} or more`;
  return most !== null ? `${words(most)} or less` : "";
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 ? sorted[Math.floor(half)]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export const countWords = (count: number): string => count.toLocaleString("en");

export interface WorkStep {
  name: string;
  count: number;
  /** Of all pictures, for the bar's length. */
  share: number;
}

/** The way from pictures to faces, each step no more than the one before, but faces. */
export function workSteps(work: CameraWork): WorkStep[] {
  const steps: [string, number][] = [
    ["Pictures from the camera", work.captured],
    ["Sampled", work.sampled],
    ["Something moved", Math.max(work.sampled - work.unchanged, 0)],
    ["Looked at", work.looked_at],
    ["Faces in them", work.faces],
    ["Sent for a name", work.identity_shots],
    ["Sent for an emotion", work.emotion_shots],
  ];
  const most = Math.max(...steps.map(([, count]) => count), 1);
  return steps.map(([name, count]) => ({ name, count, share: count / most }));
}

/** What was saved against looking at every picture and embedding each face in each. */
export function savedWords(work: CameraWork): string {
  const sent = work.identity_shots + work.emotion_shots;
  const pictures = `${countWords(work.captured)} pictures`;
  const looked = `${countWords(work.looked_at)} ${work.looked_at === 1 ? "was" : "were"} looked at`;
  const faces = `${countWords(sent)} ${sent === 1 ? "face was" : "faces were"} sent on`;
  return `Of ${pictures}, ${looked} (${shareWords(work.looked_at, work.captured)}) and ${faces}.`;
}

export function shareWords(part: number, whole: number): string {
  const share = whole > 0 ? (100 * part) / whole : 0;
  if (share > 0 && share < 0.1) return "less than 0.1\u00a0%";
  return `${share < 10 ? share.toFixed(1).replace(/\.0$/, "") : Math.round(share)}\u00a0%`;
}

const SKIPPED: Record<string, string> = {
  enough_shots: "enough views of them already",
  no_better_view: "no better than what was sent",
  sampled_lately: "sent a moment ago",
  poor_view: "too poor a view",
  ignored_zone: "in a zone to ignore",
  unmoved: "still where they were",
};

/** Why faces were not sent on, the most frequent reason first. */
export const skippedWords = (work: CameraWork): { reason: string; count: number }[] =>
  Object.entries(work.skipped)
    .map(([reason, count]) => ({ reason: SKIPPED[reason] ?? reason.replaceAll("_", " "), count }))
    .sort((a, b) => b.count - a.count);
