/** What states, answers and reasons are called on screen. */
import type { Camera, CameraStatus, Photo, Stranger, SystemInfo } from "./api/types";
import type { Answer } from "./live/protocol";

/** Words of a service as a sentence: a capital first, an end last. */
export function sentence(words: string): string {
  const trimmed = words.replace(/^Value error, /, "").trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?:…]$/.test(capital) ? capital : `${capital}.`;
}

export type Tone = "good" | "busy" | "warn" | "bad" | "off";

export interface StateWords {
  tone: Tone;
  short: string;
  /** What it means; empty while all is well. */
  long: string;
  /** Whether pictures come. */
  delivers: boolean;
}

const away = (tone: Tone, short: string, long: string): StateWords => ({
  tone,
  short,
  long,
  delivers: false,
});
/** Whether a camera is somebody's browser. */
export const isBrowser = ({ url }: { url?: string }): boolean => url?.startsWith("browser:") ?? false;

const STATES: Record<CameraStatus["state"], StateWords> = {
  streaming: { tone: "good", short: "Live", long: "", delivers: true },
  frozen: {
    tone: "warn",
    short: "Frozen",
    long: "The camera sends the same picture again and again.",
    delivers: true,
  },
  slow: {
    tone: "warn",
    short: "Slow",
    long: "The camera sends far fewer pictures than it should.",
    delivers: true,
  },
  connecting: away("busy", "Connecting", "Opening the camera."),
  unassigned: away("busy", "Waiting", "No ingest service has picked this camera up yet."),
  stalled: away("warn", "No picture", "The camera is connected but sends no pictures."),
  backoff: away("warn", "Reconnecting", "The camera can't be reached."),
  auth_failed: away("bad", "Wrong password", "The camera refused the user name or password."),
  not_found: away("bad", "Not found", "There is no stream at this address."),
  unsupported: away("bad", "Not supported", "Mien can't read this kind of video."),
  untrusted: away("bad", "Not trusted", "Nobody vouches for the certificate that the camera shows."),
  stopped: away("off", "Turned off", "This camera is turned off."),
};

const BROWSER_GONE: StateWords = {
  tone: "warn",
  short: "Browser gone",
  long: "Nobody sends pictures at the moment; this webcam is removed soon.",
  delivers: false,
};

/** Put a camera's state in words, with its own reason where it gives one. */
export function stateWords(
  camera: Pick<Camera, "enabled"> & { url?: string },
  status: CameraStatus,
): StateWords {
  const isGone = status.state !== "streaming" && status.state !== "connecting";
  if (isBrowser(camera) && camera.enabled && isGone) return BROWSER_GONE;
  const words = STATES[camera.enabled ? status.state : "stopped"];
  if (!camera.enabled || !status.reason || words.tone === "good") return words;
  const short = status.state === "stopped" ? "Closed" : words.short;
  // When the next attempt is due is shown by the second, beside this.
  return { ...words, short, long: sentence(status.reason.replace(/; trying again in \d+ s$/, "")) };
}

/** What a state is called in a camera's history. */
export const stateName = (state: CameraStatus["state"]): { tone: Tone; short: string } =>
  state === "stopped"
    ? { tone: "off", short: "Closed" }
    : state === "backoff"
      ? { tone: "warn", short: "Away" }
      : STATES[state];

const ADVICE: Partial<Record<CameraStatus["state"], string>> = {
  frozen: "Restart the camera. Where nothing ever moves on purpose, this can be ignored.",
  slow: "Look at the network, and at the frame rate in the camera's own settings; many slow down in the dark.",
  stalled: "Mien connects again by itself. If this happens often, look at the camera's power and network.",
  backoff: "Mien tries again for ever. Check the camera's power, its network and its address.",
  auth_failed:
    "Enter the user name and password again. Mien tries seldom, because many cameras lock accounts.",
  not_found: "Check the address: its path differs from maker to maker and is in the camera's manual.",
  unsupported: "Check the address, or choose how its pictures are had in the camera's settings.",
  untrusted: "Compare the fingerprint with the one in the camera's own settings before you accept it.",
};

/** What to do about a state; empty where there is nothing to do. */
export const adviceWords = (camera: Pick<Camera, "enabled">, status: CameraStatus): string =>
  (camera.enabled && ADVICE[status.state]) || "";

const DAY_SECONDS = 86_400;

/** "3 h 12 min behind" of a camera's own clock; its first second or two are the network's. */
export function clockWords(skewSeconds: number | null): { tone: Tone; words: string } {
  if (skewSeconds === null) return { tone: "off", words: "Not told by the camera" };
  const off = Math.abs(skewSeconds);
  if (off < 2) return { tone: "good", words: "Right" };
  if (off > 365 * DAY_SECONDS) return { tone: "warn", words: "Never set" };
  const minutes = Math.floor(off / 60);
  const span =
    minutes < 1
      ? `${Math.round(off)} s`
      : minutes < 60
        ? `${minutes} min`
        : off < DAY_SECONDS
          ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
          : durationWords(off * 1000);
  return { tone: off < 60 ? "busy" : "warn", words: `${span} ${skewSeconds < 0 ? "behind" : "ahead"}` };
}

/** "in 12 s" until the next attempt; empty when none is planned or it is due. */
export function retryWords(status: CameraStatus, atMs: number): string {
  if (status.retry_at_ns === null || status.retry_at_ns === undefined) return "";
  const seconds = Math.ceil((status.retry_at_ns / 1e6 - atMs) / 1000);
  return seconds > 0 ? `in ${seconds} s` : "now";
}

/** What a status may say of a camera's main stream; older ingest processes say nothing. */
interface MainStreamStatus {
  main_stream?: { state: CameraStatus["state"]; reason: string; wanted?: boolean } | null;
}

/** How a camera's main stream is, in a few words. */
export function mainStreamWords(
  camera: Pick<Camera, "main_stream_url">,
  status: CameraStatus & MainStreamStatus,
): { tone: Tone; words: string } {
  if (!camera.main_stream_url) return { tone: "off", words: "None" };
  const said = status.main_stream;
  if (!said) return { tone: "off", words: "Set, nothing heard of it yet" };
  if (said.reason) return { tone: "warn", words: sentence(said.reason) };
  if (said.state === "streaming") return { tone: "good", words: said.wanted ? "In use" : "Ready" };
  return { tone: STATES[said.state].tone, words: STATES[said.state].short };
}

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
