import { describe, expect, it } from "vitest";
import type { CameraLooks } from "../src/api/types";
import { inOrder, setByWords, slotsOf, stretchesOf, tirednessWords, totalsOf } from "../src/looks/looksWords";
import { requestOf, valuesOf } from "../src/pages/cameraFields";

const LOOKS: CameraLooks = {
  camera_id: "door",
  policy: "aggregate",
  span: "hour",
  since: "2026-11-24T10:00:00Z",
  until: "2026-11-24T10:04:00Z",
  bucket_seconds: 60,
  group_size: 5,
  buckets: [
    { starts_at: "2026-11-24T10:01:00Z", people: 6, counts: { sad: 2, happy: 4 } },
    { starts_at: "2026-11-24T10:03:00Z", people: null, counts: null },
  ],
};

describe("a camera's totals", () => {
  it("have a slot for each minute, and tell nobody from not told", () => {
    const slots = slotsOf(LOOKS);
    expect(slots.map(({ people }) => people)).toEqual([0, 6, 0, null]);
    expect(slots[1]!.counts).toEqual([
      ["happy", 4],
      ["sad", 2],
    ]);
  });

  it("add up to shares, the largest first", () => {
    expect(totalsOf(slotsOf(LOOKS))).toEqual([
      ["happy", 4 / 6],
      ["sad", 2 / 6],
    ]);
    expect(totalsOf([])).toEqual([]);
  });
});

describe("a sighting's timeline", () => {
  it("tells how long each look lasted, the last until the end", () => {
    const start = Date.parse("2026-11-24T10:00:00Z") / 1000;
    const sighting = {
      emotion_timeline: [
        [start, "neutral"],
        [start + 8, "happy"],
      ] as [number, string][],
      ended_at: "2026-11-24T10:00:20Z",
    };
    expect(stretchesOf(sighting)).toEqual([
      { look: "neutral", seconds: 8 },
      { look: "happy", seconds: 12 },
    ]);
    expect(stretchesOf({ emotion_timeline: null, ended_at: sighting.ended_at })).toEqual([]);
  });
});

describe("tiredness in words", () => {
  const seen = { reason: null, perclos: 0.21, yawns: 0, watched_seconds: 58 } as const;
  it("says what it comes from", () => {
    expect(tirednessWords({ ...seen, answer: "tired", yawns: 1 })).toEqual({
      short: "Looks tired",
      why: "eyes closed 21 % of a minute, 1 yawn in 5 min",
    });
    expect(tirednessWords({ ...seen, answer: "awake" }).why).toMatch(/no yawn$/);
  });
  it("says why there is not enough", () => {
    const why = tirednessWords({
      ...seen,
      answer: "not_enough",
      perclos: null,
      reason: "eyes_too_small",
    }).why;
    expect(why).toBe("eyes too small");
  });
});

describe("the camera form", () => {
  const values = {
    ...valuesOf(),
    name: "Gate",
    url: "rtsp://a/b",
    emotion_policy: "aggregate" as const,
    emotion_purpose: "study",
    emotion_exemption: "safety" as const,
    emotion_exemption_note: "crane",
  };
  it("sends a reason only where one is needed", () => {
    expect(requestOf({ ...values, context: "workplace" })).toMatchObject({
      emotion_exemption: "safety",
      emotion_exemption_note: "crane",
    });
    expect(requestOf({ ...values, context: "public" })).toMatchObject({ emotion_exemption: "none" });
  });
  it("takes a purpose back with its switch", () => {
    const off = requestOf({ ...values, tiredness_policy: "off", tiredness_purpose: "rest" });
    expect(off.tiredness_purpose).toBe("");
  });
});

it("knows who set it, or that nobody has", () => {
  expect(setByWords("", 0)).toBe("");
  expect(setByWords("cli", 1.79e18)).toMatch(/^command line, /);
});

it("leaves out what nobody looked like", () => {
  expect(inOrder({ angry: 0, uncertain: 1, happy: 2 })).toEqual([
    ["happy", 2],
    ["uncertain", 1],
  ]);
});
