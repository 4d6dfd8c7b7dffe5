/** What answers, reasons and services are called on screen; cameras have their own words in `cameraWords.ts`. */
import type { Photo, Stranger, SystemInfo } from "./api/types";
import type { Answer } from "./live/protocol";

/** Words of a service as a sentence: a capital first, an end last. */
export function sentence(words: string): string {
  const trimmed = words.replace(/^Value error, /, "").trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?:…]$/.test(capital) ? capital : `${capital}.`;
}

export type Tone = "good" | "busy" | "warn" | "bad" | "off";

export function answerWords(
  answer: Answer | null,
  personName: string | null,
  strangerLabel: string | null = null,
): string {
  if (answer === "known") return personName ?? "Known";
  if (answer === "unknown") return strangerLabel ?? "Unknown";
  if (answer === "unclear") return "Not clear enough";
  return "Looking…";
}

/** How much a face resembles the nearest person, in words, and the figures behind them. */
export function similarityWords(
  similarity: number | null,
  acceptSimilarity: number | null,
): { word: string; figures: string } | null {
  if (similarity === null || acceptSimilarity === null) return null;
  const room = 1 - acceptSimilarity;
  const above = room > 0 ? (similarity - acceptSimilarity) / room : 0;
  const word =
    above >= 0.5
      ? "Clear resemblance"
      : above >= 0.15
        ? "Good resemblance"
        : above >= 0
          ? "Just enough resemblance"
          : "Not enough resemblance";
  const figures = `Similarity ${similarity.toFixed(2)}; a name needs ${acceptSimilarity.toFixed(2)}`;
  return { word, figures };
}

/** "Seen 5 times on 2 cameras". */
export function visitsWords(visits: number, cameras: number): string {
  const times = visits === 1 ? "once" : visits === 2 ? "twice" : `${visits} times`;
  return cameras > 1 ? `Seen ${times} on ${cameras} cameras` : `Seen ${times}`;
}

/** "Stranger 3", "Stranger 3 and Stranger 5", "4 strangers". */
export function strangersWords(chosen: Pick<Stranger, "label">[]): string {
  if (chosen.length <= 2) return chosen.map(({ label }) => label).join(" and ");
  return `${chosen.length} strangers`;
}

export const numberOf = ({ label }: Pick<Stranger, "label">): number =>
  Number(/\d+$/.exec(label)?.[0] ?? Number.POSITIVE_INFINITY);

/** "1 in 100" for a share. */
export const oneInWords = (share: number): string => `1 in ${Math.round(1 / share).toLocaleString("en")}`;

/** "3.2 %", with as many digits as a small share needs. */
export const shareWords = (share: number): string =>
  share === 0 ? "0 %" : `${(share * 100).toFixed(share < 0.01 ? 2 : share < 0.1 ? 1 : 0)} %`;

const EMOTIONS: Record<string, string> = {
  angry: "Angry",
  happy: "Happy",
  neutral: "Neutral",
  sad: "Sad",
  tired: "Tired",
  other: "Other",
  uncertain: "Hard to say",
};

export const emotionWords = (label: string): string => EMOTIONS[label] ?? label;

const REJECTIONS: Record<string, string> = {
  no_face: "There is no face in this photo.",
  several_faces: "There are several faces in this photo. Crop it to one person.",
  too_small: "The face is too small. Use a larger photo, or crop closer.",
  blurred: "The face is blurred. Use a sharper photo.",
  turned_away: "The face is turned away. Use one that looks towards the camera.",
  not_an_image: "This file is no picture that Mien can read. Use JPEG, PNG or WebP.",
  no_embedding: "The face could not be measured. Try another photo.",
};

export const rejectionWords = (photo: Pick<Photo, "reason" | "explanation">): string =>
  sentence(photo.explanation || REJECTIONS[photo.reason ?? ""] || "this photo can't be used");

/** What a quality from 0 to 1 is called. */
export const qualityWords = (quality: number): { word: string; tone: Tone } =>
  quality >= 0.7
    ? { word: "Good", tone: "good" }
    : quality >= 0.45
      ? { word: "Usable", tone: "busy" }
      : { word: "Weak", tone: "warn" };

const FINDINGS: Record<string, string> = {
  stray: "Somebody else?",
  odd: "Unlike the others",
  differs: "Not sure who",
  lookalike: "Look-alike",
  duplicate: "A copy",
  size: "Small",
  sharpness: "Blurred",
  movement: "Smeared",
  pose: "Turned away",
  light: "Poor light",
};

export type PhotoPlace = "to_decide" | "in_use" | "not_used";

/** Where a photo stands, and what its badge says. */
export function badgeWords(
  photo: Pick<Photo, "status" | "set_aside" | "set_aside_reason" | "use_anyway" | "badge">,
): {
  place: PhotoPlace;
  tone: Tone;
  label: string;
} {
  if (photo.status === "pending") return { place: "in_use", tone: "busy", label: "On its way" };
  if (photo.status === "rejected") return { place: "not_used", tone: "bad", label: "Can't be used" };
  const kind = photo.badge?.findings[0]?.kind ?? "";
  if (photo.set_aside) {
    return photo.set_aside_reason === "by_hand" || !photo.set_aside_reason
      ? { place: "not_used", tone: "off", label: "Set aside" }
      : { place: "to_decide", tone: "bad", label: FINDINGS[kind] ?? "Set aside" };
  }
  if (!photo.badge) return { place: "in_use", tone: "busy", label: "Comparing" };
  if (photo.badge.level === "good") return { place: "in_use", tone: "good", label: "Good" };
  const doubted = (kind === "lookalike" || kind === "differs") && !photo.use_anyway;
  return { place: doubted ? "to_decide" : "in_use", tone: "warn", label: FINDINGS[kind] ?? "Usable" };
}

const SERVICES: Record<string, { name: string; down: string }> = {
  model_server: { name: "Model server", down: "names and emotions are paused" },
  recognizer: { name: "Recognizer", down: "new faces get no names" },
  emotion: { name: "Emotion reader", down: "emotions are paused" },
  detector: { name: "Detector", down: "no faces are found and live pictures stand still" },
  ingest: { name: "Ingest", down: "cameras are not being read" },
  trainer: { name: "Trainer", down: "nothing can be trained" },
  gateway: { name: "Gateway", down: "this page can't be kept up to date" },
};

const serviceKey = (service: string): string => service.replaceAll("-", "_");

export const serviceWords = (service: string): string =>
  SERVICES[serviceKey(service)]?.name ?? service.charAt(0).toUpperCase() + service.slice(1);

/** One sentence per thing that is wrong; what others say of a missing service is left to the system page. */
export function troubles(system: SystemInfo): string[] {
  const missing = system.missing.map((service) => {
    const down = SERVICES[serviceKey(service)]?.down;
    return `${serviceWords(service)} is down${down ? `: ${down}` : ""}.`;
  });
  if (missing.length > 0) return missing;
  const degraded = system.services
    .filter(({ state, problems }) => state === "degraded" && problems.length > 0)
    .map(({ service, problems }) => `${serviceWords(service)}: ${problems.join("; ")}.`);
  return [...new Set(degraded)];
}

/** "12 s", "4 min", "2 h", "3 days". */
export function durationWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "1 day" : `${days} days`;
}

export const agoWords = (atMs: number, nowMs: number): string =>
  nowMs - atMs < 5_000 ? "just now" : `${durationWords(nowMs - atMs)} ago`;

export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => word.charAt(0))
    .filter((_, index, all) => index === 0 || index === all.length - 1)
    .join("")
    .toUpperCase();
