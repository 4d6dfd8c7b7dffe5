import { describe, expect, it } from "vitest";
import { Presence } from "../src/live/presence";
import type { LiveFace, LiveFrame } from "../src/live/protocol";
import { visitBars } from "../src/pages/sparkline";
import {
  answerWords,
  numberOf,
  oneInWords,
  shareWords,
  similarityWords,
  strangersWords,
  visitsWords,
} from "../src/words";

describe("words for strangers", () => {
  it("count visits and cameras", () => {
    expect(visitsWords(1, 1)).toBe("Seen once");
    expect(visitsWords(2, 2)).toBe("Seen twice on 2 cameras");
    expect(visitsWords(5, 2)).toBe("Seen 5 times on 2 cameras");
  });

  it("name who was chosen, or how many", () => {
    const [one, two, three] = [1, 2, 3].map((number) => ({ label: `Stranger ${number}` }));
    expect(strangersWords([one!])).toBe("Stranger 1");
    expect(strangersWords([one!, two!])).toBe("Stranger 1 and Stranger 2");
    expect(strangersWords([one!, two!, three!])).toBe("3 strangers");
  });

  it("tell a stranger's number where there is one", () => {
    expect(answerWords("unknown", null, "Stranger 12")).toBe("Stranger 12");
    expect(answerWords("unknown", null)).toBe("Unknown");
    expect(answerWords("unclear", null, "Stranger 12")).toBe("Not clear enough");
  });

  it("order strangers by their number, those without one last", () => {
    const labels = ["Stranger 10", "Somebody", "Stranger 9"].map((label) => ({ label }));
    expect(labels.sort((a, b) => numberOf(a) - numberOf(b)).map(({ label }) => label)).toEqual([
      "Stranger 9",
      "Stranger 10",
      "Somebody",
    ]);
  });
});

describe("words for how sure a name is", () => {
  it("say what a similarity means against its threshold, never a percentage", () => {
    expect(similarityWords(0.98, 0.94)?.word).toBe("Clear resemblance");
    expect(similarityWords(0.95, 0.94)?.word).toBe("Good resemblance");
    expect(similarityWords(0.94, 0.94)?.word).toBe("Just enough resemblance");
    expect(similarityWords(0.9, 0.94)?.word).toBe("Not enough resemblance");
    expect(similarityWords(0.95, 0.94)?.figures).toBe("Similarity 0.95; a name needs 0.94");
  });

  it("say nothing where nothing is known", () => {
    expect(similarityWords(null, 0.94)).toBeNull();
    expect(similarityWords(0.95, null)).toBeNull();
  });

  it("write shares with the digits they need", () => {
    expect([0, 0.0023, 0.043, 0.31].map(shareWords)).toEqual(["0 %", "0.23 %", "4.3 %", "31 %"]);
    expect([0.05, 0.001].map(oneInWords)).toEqual(["1 in 20", "1 in 1,000"]);
  });
});

describe("the sparkline", () => {
  const [from, to] = [Date.parse("2026-11-01T00:00:00Z"), Date.parse("2026-11-08T00:00:00Z")];

  it("puts each visit into its part of the span", () => {
    const times = ["2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z", "2026-11-07T23:00:00Z"];
    expect(visitBars(times, from, to, 7)).toEqual([2, 0, 0, 0, 0, 0, 1]);
  });

  it("leaves out what lies outside, and takes in the last moment", () => {
    expect(visitBars(["2026-10-01T00:00:00Z", "2026-11-08T00:00:00Z"], from, to, 7)).toEqual([
      0, 0, 0, 0, 0, 0, 1,
    ]);
  });
});

describe("who is in view", () => {
  const face = (trackId: string, more: Partial<LiveFace>): LiveFace => ({
    track_id: trackId,
    box_xyxy: [0, 0, 1, 1],
    score: 1,
    answer: "unknown",
    state: "confirmed",
    person_id: null,
    person_name: null,
    similarity: null,
    emotion: null,
    ...more,
  });
  const frame = (...faces: LiveFace[]): LiveFrame => ({
    camera_id: "door",
    frame_id: "door:1:1",
    captured_at_ns: 0,
    detected_at_ns: 0,
    sent_at_ns: 0,
    size_wh: [10, 10],
    faces,
  });

  it("lists a stranger once, however many tracks", () => {
    const presence = new Presence();
    const stranger = { stranger_id: "s1", stranger_label: "Stranger 1" };
    presence.add(frame(face("t1", stranger), face("t2", stranger), face("t3", {})), 1_000);
    expect(presence.current(1_000).map(({ strangerLabel }) => strangerLabel)).toEqual(["Stranger 1", null]);
  });

  it("leaves out who is ignored, from the moment they are", () => {
    const presence = new Presence();
    presence.add(frame(face("t1", {})), 1_000);
    presence.add(frame(face("t1", { ignored: true })), 1_100);
    expect(presence.current(1_100)).toEqual([]);
  });
});
