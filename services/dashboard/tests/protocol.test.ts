import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeLiveFrame } from "../src/live/protocol";

/** Written by the Python contract: `tests/golden/write_live_frame.py`. */
function golden(): ArrayBuffer {
  const bytes = readFileSync(new URL("golden/live_frame.v1.bin", import.meta.url));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

describe("a live frame written by the gateway's contract", () => {
  it("gives back its camera, size and times", () => {
    const { frame } = decodeLiveFrame(golden());
    expect(frame.camera_id).toBe("front-door");
    expect(frame.frame_id).toBe("front-door:3:1207");
    expect(frame.size_wh).toEqual([640, 360]);
    expect(frame.captured_at_ns / 1e6).toBeCloseTo(1_790_000_000_123.4568, 2);
  });

  it("gives back a known face with its name, in any script, and its emotion", () => {
    const face = decodeLiveFrame(golden()).frame.faces[0];
    expect(face).toMatchObject({
      track_id: "front-door:7:4",
      box_xyxy: [100.5, 80, 180.25, 176],
      answer: "known",
      person_name: "Ada Łovelace",
      emotion: { label: "happy", probabilities: { happy: 0.9 } },
    });
  });

  it("gives back a face nobody has judged yet with nulls", () => {
    const face = decodeLiveFrame(golden()).frame.faces[1];
    expect(face).toMatchObject({ answer: null, person_name: null, emotion: null });
  });

  it("gives back the picture's bytes, from marker to marker", () => {
    const { jpeg } = decodeLiveFrame(golden());
    expect([...jpeg.slice(0, 2), ...jpeg.slice(-2)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
  });
});

describe("a message that is no live frame", () => {
  it("is refused when its layout is of another version", () => {
    const message = golden();
    new Uint8Array(message)[0] = 2;
    expect(() => decodeLiveFrame(message)).toThrow("expected layout 1 of a live frame, got 2");
  });

  it("is refused when it is cut off", () => {
    expect(() => decodeLiveFrame(golden().slice(0, 3))).toThrow(RangeError);
    expect(() => decodeLiveFrame(golden().slice(0, 60))).toThrow(RangeError);
  });
});
