import { describe, expect, it } from "vitest";
import type { LiveFrame } from "../src/live/protocol";
import { cameraErrorWords } from "../src/webcam/camera";
import {
  consentText,
  savedSteps,
  stepKey,
  STEPS,
  stepsLeft,
  withTaken,
  type Taken,
} from "../src/webcam/coach";
import { CreditLine } from "../src/webcam/credits";
import { mirrorBox, mirrorFrame } from "../src/webcam/mirror";
import { stateWords } from "../src/cameraWords";

describe("credit", () => {
  it("lets a picture go only while there is some", () => {
    const line = new CreditLine();
    expect(line.waitMs(0)).toBeNull();
    line.open(2, 5);
    expect(line.waitMs(0)).toBe(0);
    line.spend(0, 0);
    line.spend(200, 200);
    expect(line.waitMs(1000)).toBeNull();
    line.giveBack(1, null);
    expect(line.waitMs(1000)).toBe(0);
  });

  it("keeps the pace that the gateway asked for", () => {
    const line = new CreditLine();
    line.open(8, 5);
    line.spend(1000, 1000);
    line.spend(1000, 1000);
    expect(line.waitMs(1000)).toBe(200);
    expect(line.waitMs(1250)).toBe(0);
  });

  it("tells how long ago a named picture was taken, also when others were dropped between", () => {
    const line = new CreditLine();
    line.open(3, 5);
    for (const atMs of [100, 300, 500]) line.spend(atMs, atMs);
    line.giveBack(2, null);
    line.giveBack(1, "cam:1:1");
    line.giveBack(3, "cam:1:3");
    expect(line.latencyMs("cam:1:3", 700)).toBe(200);
    expect(line.latencyMs("cam:1:1", 700)).toBe(600);
    expect(line.latencyMs("cam:1:2", 700)).toBeNull();
  });

  it("begins anew with each connection", () => {
    const line = new CreditLine();
    line.open(1, 5);
    line.spend(0, 0);
    line.open(2, 5);
    expect(line.waitMs(0)).toBe(0);
    line.spend(0, 50);
    line.giveBack(1, "cam:2:1");
    expect(line.latencyMs("cam:2:1", 100)).toBe(50);
  });
});

describe("a mirror", () => {
  it("turns boxes round and leaves everything else", () => {
    expect(mirrorBox([10, 20, 110, 220], 640)).toEqual([530, 20, 630, 220]);
    const face = { track_id: "t", box_xyxy: [0, 0, 100, 100] } as unknown as LiveFrame["faces"][number];
    const frame = { size_wh: [640, 480], faces: [face] } as unknown as LiveFrame;
    expect(mirrorFrame(frame).faces[0]).toEqual({ track_id: "t", box_xyxy: [540, 0, 640, 100] });
    expect(face.box_xyxy).toEqual([0, 0, 100, 100]);
  });
});

describe("the coach", () => {
  const taken = (index: number, quality = 0.9): Taken => ({
    step: STEPS[index]!,
    jpeg: new Blob(),
    quality,
    kept: true,
  });

  it("asks for each step once, in order, and for none that was saved before", () => {
    const saved = savedSteps({ poses: ["front"], emotions: ["happy"] });
    const left = stepsLeft([taken(1)], saved).map(stepKey);
    expect(left).toHaveLength(STEPS.length - 3);
    expect(left.slice(0, 2)).toEqual(["pose:right", "pose:up"]);
    expect(left).not.toContain("emotion:happy");
  });

  it("puts a new picture in the place of the old one", () => {
    const both = withTaken([taken(0, 0.3), taken(1)], taken(0, 0.8));
    expect(both.map(({ step, quality }) => [step.label, quality])).toEqual([
      ["left", 0.9],
      ["front", 0.8],
    ]);
  });

  it("names the person in what they agree to", () => {
    expect(consentText("Ada Lovelace")).toMatch(/^I, Ada Lovelace, agree/);
  });
});

describe("words", () => {
  it("say what keeps the camera closed", () => {
    expect(cameraErrorWords(new DOMException("", "NotAllowedError"))).toContain("Allow it");
    expect(cameraErrorWords(new DOMException("", "NotReadableError"))).toContain("another program");
    expect(cameraErrorWords(new Error("?"))).toBe("The camera could not be opened.");
  });

  it("say that a browser is gone, not that ingest is", () => {
    const status = { state: "unassigned", reason: "" } as unknown as Parameters<typeof stateWords>[1];
    expect(stateWords({ enabled: true, url: "browser://s" }, status).short).toBe("Browser gone");
    expect(stateWords({ enabled: true, url: "rtsp://c" }, status).short).toBe("Waiting");
  });
});
