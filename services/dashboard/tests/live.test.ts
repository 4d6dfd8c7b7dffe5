import { describe, expect, it } from "vitest";
import { backoffMs } from "../src/live/backoff";
import { ServerClock } from "../src/live/clock";
import { TileMeter } from "../src/live/meter";
import { Presence } from "../src/live/presence";
import type { LiveFace, LiveFrame } from "../src/live/protocol";

function face(changes: Partial<LiveFace>): LiveFace {
  return {
    track_id: "door:1:1",
    box_xyxy: [0, 0, 10, 10],
    score: 1,
    answer: null,
    state: null,
    person_id: null,
    person_name: null,
    similarity: null,
    emotion: null,
    ...changes,
  };
}

function frame(changes: Partial<LiveFrame>): LiveFrame {
  return {
    camera_id: "door",
    frame_id: "door:1:1",
    captured_at_ns: 1_000e6,
    detected_at_ns: 1_100e6,
    sent_at_ns: 1_120e6,
    size_wh: [640, 360],
    faces: [],
    ...changes,
  };
}

describe("the gateway's clock", () => {
  it("is unknown before the first answer", () => {
    expect(new ServerClock().offsetMs).toBeNull();
  });

  it("is taken from the answer with the shortest way, not the last", () => {
    const clock = new ServerClock();
    clock.add(1000, 1505, 1010);
    clock.add(2000, 2900, 2400);
    expect(clock.offsetMs).toBe(500);
    expect(clock.roundTripMs).toBe(10);
  });

  it("forgets old answers, so that a clock that was set heals", () => {
    const clock = new ServerClock();
    clock.add(0, 900, 2);
    for (let at = 1; at <= 12; at++) clock.add(at * 1000, at * 1000 + 5, at * 1000 + 10);
    expect(clock.offsetMs).toBe(0);
  });

  it("ignores an answer that came before its question", () => {
    const clock = new ServerClock();
    clock.add(1000, 1000, 900);
    expect(clock.offsetMs).toBeNull();
  });
});

describe("waiting before a reconnect", () => {
  it("doubles up to ten seconds, and at least half of it is always waited", () => {
    expect([0, 1, 2, 10].map((attempt) => backoffMs(attempt, () => 0))).toEqual([250, 500, 1000, 5000]);
    expect([0, 1, 2, 10].map((attempt) => backoffMs(attempt, () => 1))).toEqual([500, 1000, 2000, 10_000]);
  });
});

describe("a tile's meter", () => {
  it("measures from capture to screen on the gateway's clock", () => {
    const meter = new TileMeter();
    meter.add(frame({}), 650, 500);
    expect(meter.latencyMs).toBeCloseTo(150);
    expect(meter.stages).toEqual({ detectMs: 100, gatewayMs: 20, screenMs: 30 });
  });

  it("says nothing while the gateway's clock is unknown", () => {
    const meter = new TileMeter();
    meter.add(frame({}), 650, null);
    expect(meter.latencyMs).toBeNull();
    expect(meter.lastDrawnAtMs).toBe(650);
  });

  it("counts drawn pictures per second, and none once they are old", () => {
    const meter = new TileMeter();
    for (let at = 0; at <= 2000; at += 200) meter.add(frame({}), at, 0);
    expect(meter.fps(2000)).toBeCloseTo(5);
    expect(meter.fps(9000)).toBe(0);
  });
});

describe("who is here", () => {
  const ada = { answer: "known", person_id: "p-ada", person_name: "Ada" } as const;

  it("lists a person once per camera, however many tracks they have had", () => {
    const presence = new Presence();
    presence.add(frame({ faces: [face({ track_id: "door:1:1", ...ada })] }), 1000);
    presence.add(frame({ faces: [face({ track_id: "door:1:2", ...ada })] }), 2000);
    const seen = presence.current(2100);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ trackId: "door:1:2", sinceMs: 1000 });
  });

  it("lists strangers one by one, the newest first", () => {
    const presence = new Presence();
    presence.add(frame({ faces: [face({ track_id: "door:1:1", answer: "unknown" })] }), 1000);
    const both = ["door:1:1", "door:1:2"].map((id) => face({ track_id: id, answer: "unknown" }));
    presence.add(frame({ faces: both }), 1500);
    expect(presence.current(1600).map(({ trackId }) => trackId)).toEqual(["door:1:2", "door:1:1"]);
  });

  it("forgets whoever has not been seen for a while", () => {
    const presence = new Presence();
    presence.add(frame({ faces: [face(ada)] }), 1000);
    expect(presence.current(3000)).toHaveLength(1);
    expect(presence.current(4000)).toHaveLength(0);
  });
});
