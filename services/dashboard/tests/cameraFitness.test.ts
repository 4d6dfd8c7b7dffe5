import { describe, expect, it } from "vitest";
import type { CameraWork, FitnessReport } from "../src/api/types";
import {
  fitnessWords,
  histogram,
  median,
  savedWords,
  SCALES,
  shareWords,
  skippedWords,
  workSteps,
} from "../src/pages/cameraFitness";

const FACE = {
  ended_at_ns: 0,
  score: 0.5,
  face_px: 100,
  sharpness: 50,
  evenness: 0.8,
  yaw: 0.1,
  pitch: 0,
  brightness: 120,
};

const report = (sizes: number[]): FitnessReport => ({
  fitness: {
    fitness: "fair",
    advice: "",
    tracks: sizes.length,
    since_ns: 0,
    until_ns: 0,
    usable_share: 0.5,
    median_face_px: 0,
    median_sharpness: 0,
    median_yaw: 0,
    median_pitch: 0,
    median_brightness: 0,
    obstacles: {},
  },
  tracks_needed: 10,
  needed: {
    face_px: { at_least: 60, at_most: null },
    brightness: { at_least: 40, at_most: 200 },
    yaw: { at_least: null, at_most: 0.55 },
    pitch: { at_least: -0.4, at_most: 0.4 },
  },
  faces: sizes.map((face_px) => ({ ...FACE, face_px })),
});

const scaleOf = (measure: string) => SCALES.find((scale) => scale.measure === measure)!;

const WORK: CameraWork = {
  since_ns: 0,
  captured: 54_000,
  sampled: 18_000,
  unchanged: 16_760,
  given_up: 0,
  looked_at: 1240,
  faces: 500,
  tracks: 20,
  identity_shots: 60,
  emotion_shots: 2,
  skipped: { poor_view: 3, enough_shots: 400, something_new: 1 },
};

describe("the sizes of the faces that passed", () => {
  it("fall into bars that are enough or not, with what is beyond the scale in the last one", () => {
    const { bars, enough, median: typical, needs } = histogram(report([34, 34, 80, 900]), scaleOf("face_px"));
    expect(bars.map((bar) => bar.count).reduce((a, b) => a + b)).toBe(4);
    expect(bars.at(-1)).toEqual({ count: 1, isEnough: true });
    expect(bars.filter((bar) => bar.count > 0).map((bar) => bar.isEnough)).toEqual([false, true, true]);
    expect({ enough, typical, needs }).toEqual({ enough: 2, typical: 57, needs: "60 px or more" });
  });

  it("are nothing where nobody passed, and need nothing where no limit is known", () => {
    const empty = histogram(report([]), scaleOf("sharpness"));
    expect(empty).toMatchObject({ enough: 0, median: 0, needs: "" });
    expect(empty.bars.every((bar) => bar.count === 0 && bar.isEnough)).toBe(true);
  });

  it("say limits of every kind, turns as angles", () => {
    const needs = (measure: string) => histogram(report([100]), scaleOf(measure)).needs;
    expect(needs("brightness")).toBe("40 to 200");
    expect(needs("yaw")).toBe("32° or less");
    expect(needs("pitch")).toBe("−25° to +25°");
    expect(scaleOf("yaw").words(0.5)).toBe("30°");
  });

  it("have a middle", () => {
    expect([median([]), median([3]), median([1, 9, 2]), median([1, 2, 3, 10])]).toEqual([0, 3, 2, 2.5]);
  });
});

describe("work saved", () => {
  it("is said with its share", () => {
    expect(savedWords(WORK).replaceAll("\u00a0", " ")).toBe(
      "Of 54,000 pictures, 1,240 were looked at (2.3 %) and 62 faces were sent on.",
    );
    const one = { ...WORK, looked_at: 1, identity_shots: 1, emotion_shots: 0 };
    expect(savedWords(one).replaceAll("\u00a0", " ")).toBe(
      "Of 54,000 pictures, 1 was looked at (less than 0.1 %) and 1 face was sent on.",
    );
  });

  it("goes from pictures to faces, on one scale", () => {
    const steps = workSteps(WORK);
    expect(steps.map((step) => step.count)).toEqual([54_000, 18_000, 1240, 1240, 500, 60, 2]);
    expect(steps[0]!.share).toBe(1);
    expect(steps.every((step) => step.share >= 0 && step.share <= 1)).toBe(true);
  });

  it("keeps bars on the scale when more faces than pictures come", () => {
    const crowd = workSteps({ ...WORK, captured: 10, sampled: 10, looked_at: 10, faces: 70 });
    expect(crowd.map((step) => step.share)[4]).toBe(1);
  });

  it("names why faces were not sent, the most frequent first, and reasons it does not know by their name", () => {
    expect(skippedWords(WORK).map(({ reason }) => reason)).toEqual([
      "enough views of them already",
      "too poor a view",
      "something new",
    ]);
  });

  it("divides by nothing without harm", () => {
    expect(
      [shareWords(0, 0), shareWords(1, 3), shareWords(1, 1)].map((w) => w.replace("\u00a0", " ")),
    ).toEqual(["0 %", "33 %", "100 %"]);
  });
});

describe("a rating", () => {
  it("has a word and a tone", () => {
    const all = (["good", "fair", "poor", "unknown"] as const).map((fitness) => fitnessWords({ fitness }));
    expect(all.map((words) => words.tone)).toEqual(["good", "warn", "bad", "off"]);
    expect(new Set(all.map((words) => words.word)).size).toBe(4);
  });
});
