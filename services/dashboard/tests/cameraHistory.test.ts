import { describe, expect, it } from "vitest";
import type { CameraHistory } from "../src/api/types";
import { KIND_NAMES, kindOf, requestOf, valuesOf } from "../src/pages/cameraFields";
import { stretches, troublesOf, uptimeWords, whenWords } from "../src/pages/cameraHistory";
import { scheduleWords, timeZones } from "../src/pages/schedule";
import { clockWords } from "../src/cameraWords";

const at = (minutesAgo: number): string => new Date(NOW - minutesAgo * 60_000).toISOString();
const NOW = new Date(2026, 10, 25, 12, 0).getTime();

const HISTORY: CameraHistory = {
  since: at(60),
  uptime: 0.9667,
  losses: 1,
  periods: [
    { state: "streaming", reason: "", started_at: at(28), ended_at: null },
    { state: "backoff", reason: "the camera does not answer", started_at: at(30), ended_at: at(28) },
    { state: "streaming", reason: "", started_at: at(59), ended_at: at(30) },
    { state: "connecting", reason: "", started_at: at(90), ended_at: at(59) },
  ],
};

describe("a camera's history", () => {
  it("is a bar of what was when, oldest first", () => {
    const bar = stretches(HISTORY, NOW);
    expect(bar.map(({ tone }) => tone)).toEqual(["busy", "good", "warn", "good"]);
    expect(bar[0]).toMatchObject({ from: 0, to: 1 / 60 });
    expect(bar[3]!.to).toBe(1);
  });

  it("begins with the camera where that is younger than the time shown", () => {
    const young = { ...HISTORY, since: at(24 * 60) };
    expect(stretches(young, NOW)[0]).toMatchObject({ from: 0, to: 31 / 90 });
    expect(stretches({ ...young, periods: [] }, NOW)).toEqual([]);
  });

  it("tells what was amiss, from when to when", () => {
    const [loss, ...others] = troublesOf(HISTORY);
    expect(others).toEqual([]);
    expect(whenWords(loss!, NOW)).toMatch(/^11:30.*–11:32/);
    expect(whenWords({ ...loss!, ended_at: null }, NOW)).toMatch(/^since 11:30/);
    expect(whenWords({ ...loss!, ended_at: loss!.started_at }, NOW)).toMatch(/^11:30[^–]*$/);
  });

  it("never rounds up to all of the time", () => {
    expect(uptimeWords(1)).toBe("100 %");
    expect(uptimeWords(0.99999)).toBe("99.99 %");
    expect(uptimeWords(0.5)).toBe("50.0 %");
    expect(uptimeWords(null)).toBe("–");
  });
});

describe("a camera's clock", () => {
  it("is right, off by so much, or was never set", () => {
    expect(clockWords(null).tone).toBe("off");
    expect(clockWords(0.4).words).toBe("Right");
    expect(clockWords(-11_520)).toEqual({ tone: "warn", words: "3 h 12 min behind" });
    expect(clockWords(30)).toEqual({ tone: "busy", words: "30 s ahead" });
    expect(clockWords(-1.7e9).words).toBe("Never set");
  });
});

describe("the kind of a camera", () => {
  it.each([
    ["rtsp://h/a", "rtsp"],
    ["RTSPS://h/a", "rtsp"],
    ["http://h/video.mjpg", "mjpeg"],
    ["https://h/axis-cgi/mjpg/video.cgi?x=a.jpg", "mjpeg"],
    ["http://h/snap.JPG?user=1", "snapshot"],
    ["http://h/axis-cgi/jpg/image.cgi", "snapshot"],
    ["https://h/live/index.m3u8", "hls"],
    ["file:///a.mp4", "file"],
    ["usb:/dev/video0", "usb"],
    ["ftp://h/a", null],
    ["", null],
  ])("%s is %s", (url, kind) => {
    expect(kindOf(url)).toBe(kind);
    if (kind) expect(KIND_NAMES[kind as keyof typeof KIND_NAMES]).toBeTruthy();
  });

  it("is chosen only where the address leaves a choice", () => {
    const values = { ...valuesOf(), name: "Door", kind: "snapshot" as const };
    expect(requestOf({ ...values, url: "http://h/x" }).kind).toBe("snapshot");
    expect(requestOf({ ...values, url: "rtsp://h/x" }).kind).toBeNull();
  });
});

describe("a schedule in words", () => {
  it("joins days that follow each other", () => {
    const hours = [
      { days: ["mon", "tue", "wed", "thu", "fri"], start: "07:00", end: "19:00" },
      { days: ["sat", "sun"], start: "10:00", end: "14:00" },
    ] satisfies { days: string[]; start: string; end: string }[];
    expect(scheduleWords({ time_zone: "UTC", hours: hours as never })).toBe(
      "Mon–Fri 07:00–19:00, Sat, Sun 10:00–14:00",
    );
  });

  it("offers the time zone that is set, whatever the browser knows", () => {
    expect(timeZones("Mars/Olympus")).toContain("Mars/Olympus");
  });
});
