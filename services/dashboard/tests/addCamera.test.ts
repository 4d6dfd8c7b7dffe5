import { describe, expect, test, vi } from "vitest";
import { importAll } from "../src/addCamera/importing";
import { hear, isStreamAddress, suggestedName, takeCredentials } from "../src/addCamera/questions";
import type { CameraAnswer, CameraAnswers } from "../src/api/types";

const step: CameraAnswer = { kind: "step", step: "connecting" };
const last: CameraAnswer = { kind: "searched", found: 0, searched: [], explanation: "" };
const asked = () => Promise.resolve({ request_id: "r" });

function answering(...answers: CameraAnswers[]) {
  return vi.fn(() => Promise.resolve(answers.shift() ?? { replies: [], ended: true, failure: "" }));
}

describe("a question", () => {
  test("is heard to its end, and nothing is asked for twice", async () => {
    const listen = answering(
      { replies: [step], ended: false, failure: "" },
      { replies: [], ended: false, failure: "" },
      { replies: [step, last], ended: true, failure: "" },
    );
    const heard: CameraAnswer[] = [];
    await hear(asked, (answer) => heard.push(answer), new AbortController().signal, listen);
    expect(heard).toEqual([step, step, last]);
    expect(listen.mock.calls).toEqual([
      ["r", 0],
      ["r", 1],
      ["r", 1],
    ]);
  });

  test("that nobody answers fails in words", async () => {
    const listen = answering({ replies: [], ended: true, failure: "no ingest service takes requests" });
    await expect(hear(asked, () => {}, new AbortController().signal, listen)).rejects.toThrow("no ingest");
  });

  test("is forgotten when its page is left", async () => {
    const stop = new AbortController();
    const onAnswer = vi.fn(() => stop.abort());
    const listen = answering(
      { replies: [step], ended: false, failure: "" },
      { replies: [last], ended: true, failure: "" },
    );
    await hear(asked, onAnswer, stop.signal, listen);
    expect(onAnswer).toHaveBeenCalledTimes(1);
  });
});

describe("what is typed", () => {
  test.each([
    ["rtsp://10.0.0.2/a", true],
    ["RTSPS://10.0.0.2", true],
    ["http://10.0.0.2/video.mjpg", true],
    ["file:///srv/a.mp4", true],
    ["10.0.0.2", false],
    ["cam.lan:8080", false],
    ["http://10.0.0.2", false],
    ["http://10.0.0.2/", false],
    ["http://10.0.0.2/onvif/device_service", false],
    ["http://10.0.0.2:8000/door/onvif/device_service", false],
  ])("%s names a stream: %s", (text, expected) => {
    expect(isStreamAddress(text)).toBe(expected);
  });

  test("gives its credentials to their fields", () => {
    expect(takeCredentials(" rtsp://ad%40min:p:a%23@s@10.0.0.2/a?b=1 ")).toEqual({
      address: "rtsp://10.0.0.2/a?b=1",
      username: "ad@min",
      password: "p:a#@s",
    });
    expect(takeCredentials("rtsp://u:100%@h/")).toMatchObject({ password: "100%" });
    expect(takeCredentials("10.0.0.2")).toEqual({ address: "10.0.0.2", username: "", password: "" });
  });

  test("suggests a name", () => {
    expect(suggestedName("Acme Dome", "rtsp://h/1")).toBe("Acme Dome");
    expect(suggestedName(undefined, "rtsp://10.0.0.2/1")).toBe("Camera 10.0.0.2");
    expect(suggestedName("", "10.0.0.2")).toBe("");
  });
});

describe("importing", () => {
  test("goes on step by step under one identifier and tells how far it is", async () => {
    const added = (count: number) => Array.from({ length: count }, () => ({ camera_id: "c", name: "C" }));
    const run = vi
      .fn()
      .mockResolvedValueOnce({ import_id: "i", added: added(10), next: 10 })
      .mockResolvedValueOnce({ import_id: "i", added: added(3), next: null });
    const shares: number[] = [];
    const done = await importAll(run, 15, ({ share }) => shares.push(share));
    expect(done).toEqual({ count: 13, importId: "i" });
    expect(shares).toEqual([10 / 15, 1]);
    expect(run.mock.calls).toEqual([[{ first: 0, count: 10 }], [{ import_id: "i", first: 10, count: 10 }]]);
  });
});
