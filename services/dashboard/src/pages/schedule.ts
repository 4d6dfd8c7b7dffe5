/** A camera's weekly hours, in the form and in words. */
import type { OpenHours, Schedule } from "../api/types";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

export const dayName = (day: Day): string => day.charAt(0).toUpperCase() + day.slice(1);

/** Workdays, from seven to seven, where the browser is. */
export const usualSchedule = (): Schedule => ({
  time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], start: "07:00", end: "19:00" }],
});

/** "Mon–Fri 07:00–19:00, Sat 10:00–14:00". */
export const scheduleWords = (schedule: Schedule): string =>
  schedule.hours.map((hours) => `${daysWords(hours.days)} ${hours.start}–${hours.end}`).join(", ");

function daysWords(days: OpenHours["days"]): string {
  if (days.length === DAYS.length) return "Every day";
  const runs: Day[][] = [];
  for (const [index, day] of DAYS.entries()) {
    if (!days.includes(day)) continue;
    const run = runs.at(-1);
    const before = DAYS[index - 1];
    if (run && before && run.at(-1) === before) run.push(day);
    else runs.push([day]);
  }
  return runs
    .map((run) =>
      run.length > 2 ? [run[0]!, run.at(-1)!].map(dayName).join("–") : run.map(dayName).join(", "),
    )
    .join(", ");
}

/** The browser's time zones, with one more in case it doesn't know it. */
export function timeZones(also: string): string[] {
  const known = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
  return [...new Set([also, "UTC", ...known])].sort();
}
