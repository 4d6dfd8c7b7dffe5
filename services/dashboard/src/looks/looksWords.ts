/** What policies, looks and their totals are called on screen, and how they are drawn; no React. */
import type { Camera, CameraLooks, PersonLooks, Sighting } from "../api/types";
import type { LiveTiredness } from "../live/protocol";
import { emotionWords } from "../words";

/** The order in which looks are stacked and listed. */
export const LOOKS = ["happy", "neutral", "sad", "angry", "tired", "other", "uncertain"] as const;

export const CONTEXTS: [value: Camera["context"], words: string][] = [
  ["public", "A public place or a shop"],
  ["private", "A private home"],
  ["research", "A study whose participants agreed"],
  ["workplace", "People at work"],
  ["education", "A school or university"],
];

export const isProhibited = (context: string): boolean => context === "workplace" || context === "education";

export const contextWords = (context: string): string =>
  CONTEXTS.find(([value]) => value === context)?.[1] ?? "Not said";

export const policyWords = (policy: Camera["emotion_policy"]): string =>
  ({ off: "Off", aggregate: "As totals", per_person: "For each person" })[policy];

/** "admin, 24 Nov 2026, 16:05"; empty when nobody has ever changed it. */
export function setByWords(by: string, atNs: number): string {
  if (!by) return "";
  const at = new Date(atNs / 1e6).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return `${by === "cli" ? "command line" : by}, ${at}`;
}

const NOT_ENOUGH: Record<string, string> = {
  too_short: "watched too short",
  eyes_too_small: "eyes too small",
  turned_away: "turned away",
  unclear: "view too poor",
};

/** Whether somebody looks tired, in a few words, and what that comes from. */
export function tirednessWords(tiredness: LiveTiredness): { short: string; why: string } {
  if (tiredness.answer === "not_enough") {
    return { short: "Tiredness not known", why: NOT_ENOUGH[tiredness.reason ?? ""] ?? "not enough seen" };
  }
  const yawns =
    tiredness.yawns === 0
      ? "no yawn"
      : tiredness.yawns === 1
        ? "1 yawn in 5 min"
        : `${tiredness.yawns} yawns in 5 min`;
  const closed =
    tiredness.perclos === null ? "" : `eyes closed ${Math.round(tiredness.perclos * 100)} % of a minute, `;
  return { short: tiredness.answer === "tired" ? "Looks tired" : "Awake", why: closed + yawns };
}

export interface Slot {
  /** Milliseconds since 1970. */
  startsAt: number;
  /** Null where too few passed to tell; 0 where nobody did. */
  people: number | null;
  counts: [look: string, count: number][];
}

/** A slot for each stretch of the span, also for those in which nobody passed. */
export function slotsOf(looks: CameraLooks): Slot[] {
  const known = new Map(looks.buckets.map((bucket) => [Date.parse(bucket.starts_at), bucket]));
  const step = looks.bucket_seconds * 1000;
  const slots: Slot[] = [];
  for (let startsAt = Date.parse(looks.since); startsAt < Date.parse(looks.until); startsAt += step) {
    const bucket = known.get(startsAt);
    slots.push({
      startsAt,
      people: bucket ? bucket.people : 0,
      counts: inOrder(bucket?.counts ?? {}),
    });
  }
  return slots;
}

/** Shares of all that was told, the largest first. */
export function totalsOf(slots: Slot[]): [look: string, share: number][] {
  const totals: Record<string, number> = {};
  for (const { counts } of slots) {
    for (const [look, count] of counts) totals[look] = (totals[look] ?? 0) + count;
  }
  const all = Object.values(totals).reduce((sum, count) => sum + count, 0);
  return inOrder(totals)
    .map(([look, count]): [string, number] => [look, count / all])
    .sort(([, a], [, b]) => b - a);
}

/** Drop what is zero, and order the rest as it is drawn. */
export function inOrder(values: Record<string, number>): [look: string, value: number][] {
  const place = (look: string) => (LOOKS as readonly string[]).indexOf(look);
  return Object.entries(values)
    .filter(([, value]) => value > 0)
    .sort(([a], [b]) => place(a) - place(b));
}

export const sharesWords = (shares: [look: string, share: number][]): string =>
  shares.map(([look, share]) => `${emotionWords(look)} ${Math.round(share * 100)} %`).join(", ");

export interface Stretch {
  look: string;
  seconds: number;
}

/** How long each look of a sighting lasted, one after the other. */
export function stretchesOf(sighting: Pick<Sighting, "emotion_timeline" | "ended_at">): Stretch[] {
  const timeline = sighting.emotion_timeline ?? [];
  const ends = Math.max(Date.parse(sighting.ended_at) / 1000, (timeline.at(-1)?.[0] ?? 0) + 1);
  return timeline.map(([start, look], index) => ({
    look,
    seconds: Math.max((timeline[index + 1]?.[0] ?? ends) - start, 0.5),
  }));
}

/** Days with how much of each look, the oldest first. */
export const daysOf = (looks: PersonLooks): { day: string; shares: [string, number][]; words: string }[] =>
  [...looks.days].reverse().map(({ day, shares, sightings, tired_sightings }) => {
    const ordered = inOrder(shares);
    const tired = tired_sightings > 0 ? `; tired in ${tired_sightings}` : "";
    const seen = sightings === 1 ? "seen once" : `seen ${sightings} times`;
    return { day, shares: ordered, words: `${seen}${tired}. ${sharesWords(ordered)}` };
  });

const CHANGES: Record<string, string> = {
  "emotion.off": "turned emotions off",
  "emotion.aggregate": "turned emotions on, as totals",
  "emotion.per_person": "turned emotions on, for each person",
  "emotion.exported": "exported how somebody looked",
  "emotion.forgotten": "had it forgotten how somebody looked",
  "tiredness.off": "turned tiredness off",
  "tiredness.per_person": "turned tiredness on",
  "reading.stopped": "stopped all reading",
  "reading.resumed": "let reading go on",
};

export const changeWords = (action: string): string => CHANGES[action] ?? action;
