/** What an import is and has done, in words. */
import type { ImportSummary } from "../api/types";
import type { Tone } from "../words";

const STATES: Record<ImportSummary["state"], { tone: Tone; words: string }> = {
  draft: { tone: "warn", words: "Not enrolled yet" },
  reading: { tone: "busy", words: "Reading" },
  running: { tone: "busy", words: "Enrolling" },
  done: { tone: "good", words: "Enrolled" },
  undoing: { tone: "busy", words: "Undoing" },
  undone: { tone: "off", words: "Undone" },
};

export const stateWords = ({ state }: Pick<ImportSummary, "state">): { tone: Tone; words: string } =>
  STATES[state];

export const photosWords = (count: number): string => (count === 1 ? "1 photo" : `${count} photos`);

/** "38 photos enrolled, 1 set aside, 2 refused". */
export function countWords({ state, counts }: Pick<ImportSummary, "state" | "counts">): string {
  if (state === "undone") return "Nothing of it is left";
  if (state === "draft" || state === "reading") return photosWords(counts.files);
  const parts = [`${photosWords(counts.enrolled)} enrolled`];
  if (counts.waiting > 0) parts.push(`${counts.waiting} on their way`);
  if (counts.set_aside > 0) parts.push(`${counts.set_aside} set aside`);
  if (counts.refused > 0) parts.push(`${counts.refused} refused`);
  return parts.join(", ");
}

/** How far it is, 0 to 1. */
export function shareDone({ state, counts }: Pick<ImportSummary, "state" | "counts">): number {
  if (state === "reading") return counts.entries > 0 ? counts.read / counts.entries : 0;
  return counts.files > 0 ? (counts.files - counts.waiting) / counts.files : 1;
}

/** "2 new people and 1 who is there already". */
export function peopleWords(people: { is_new: boolean; photos: number }[]): string {
  const with_photos = people.filter(({ photos }) => photos > 0);
  const fresh = with_photos.filter(({ is_new }) => is_new).length;
  const known = with_photos.length - fresh;
  const parts = [];
  if (fresh > 0) parts.push(fresh === 1 ? "1 new person" : `${fresh} new people`);
  if (known > 0) parts.push(known === 1 ? "1 who is there already" : `${known} who are there already`);
  return parts.join(" and ") || "nobody";
}
