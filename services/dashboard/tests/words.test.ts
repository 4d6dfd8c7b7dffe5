import { describe, expect, it } from "vitest";
import { errorFromBody, fieldErrors } from "../src/api/errors";
import type { CameraStatus, SystemInfo } from "../src/api/types";
import { FIELD_HINTS, requestOf, valuesOf } from "../src/pages/cameraFields";
import { batches } from "../src/pages/photoBatches";
import { adviceWords, mainStreamWords, retryWords, stateWords } from "../src/cameraWords";
import { durationWords, troubles } from "../src/words";

const STATUS: CameraStatus = {
  camera_id: "door",
  state: "streaming",
  reason: "",
  since_ns: 0,
  retry_at_ns: null,
  captured_fps: 15,
  published_fps: 5,
  size_wh: [640, 360],
  codec: "h264",
  replica: "ingest-1",
  reconnects: 0,
  main_stream: null,
  dropped: {},
  opens_at_ns: null,
  clock_skew_seconds: null,
  stated_fps: 15,
  keyframes_only: false,
  certificate: null,
};

describe("a camera's state in words", () => {
  it("gives the camera's own reason where there is one", () => {
    const reason = "connection refused; trying again in 12 s";
    const status: CameraStatus = { ...STATUS, state: "backoff", reason };
    expect(stateWords({ enabled: true }, status)).toMatchObject({
      tone: "warn",
      long: "Connection refused.",
    });
  });

  it("names a wrong password even without a reason", () => {
    const words = stateWords({ enabled: true }, { ...STATUS, state: "auth_failed" });
    expect(words).toMatchObject({ tone: "bad", short: "Wrong password" });
  });

  it("says until when a schedule keeps a camera closed", () => {
    const status: CameraStatus = { ...STATUS, state: "stopped", reason: "outside its schedule until 07:00" };
    expect(stateWords({ enabled: true }, status)).toMatchObject({
      tone: "off",
      short: "Closed",
      long: "Outside its schedule until 07:00.",
    });
  });

  it("goes on showing pictures of a camera that is frozen or slow", () => {
    for (const state of ["frozen", "slow"] as const) {
      const words = stateWords({ enabled: true }, { ...STATUS, state });
      expect(words).toMatchObject({ tone: "warn", delivers: true });
      expect(adviceWords({ enabled: true }, { ...STATUS, state })).not.toBe("");
    }
    expect(adviceWords({ enabled: true }, STATUS)).toBe("");
  });

  it("says that a disabled camera is turned off, whatever was last heard of it", () => {
    expect(stateWords({ enabled: false }, STATUS).short).toBe("Turned off");
  });

  it("counts down to the next attempt", () => {
    expect(retryWords({ ...STATUS, retry_at_ns: 13_000e6 }, 1_000)).toBe("in 12 s");
    expect(retryWords({ ...STATUS, retry_at_ns: 500e6 }, 1_000)).toBe("now");
    expect(retryWords(STATUS, 1_000)).toBe("");
  });
});

describe("a main stream in words", () => {
  const camera = { main_stream_url: "rtsp://x/main" };
  const said = (main_stream: object | null) =>
    mainStreamWords(camera, { ...STATUS, main_stream } as typeof STATUS);

  it("is none where none is set, whatever is said", () => {
    expect(mainStreamWords({ main_stream_url: null }, STATUS)).toEqual({ tone: "off", words: "None" });
  });

  it("waits for an ingest that says something of it", () => {
    expect(mainStreamWords(camera, STATUS).words).toContain("nothing heard");
    expect(said(null).words).toContain("nothing heard");
  });

  it("is ready, in use, or why not", () => {
    expect(said({ state: "streaming", reason: "", wanted: false })).toEqual({ tone: "good", words: "Ready" });
    expect(said({ state: "streaming", reason: "", wanted: true }).words).toBe("In use");
    expect(said({ state: "auth_failed", reason: "", wanted: true })).toMatchObject({ tone: "bad" });
    const reason = "shows another field of view";
    expect(said({ state: "streaming", reason, wanted: true })).toEqual({
      tone: "warn",
      words: "Shows another field of view.",
    });
  });
});

describe("service trouble", () => {
  const fine: SystemInfo = {
    version: "1",
    partitions: 24,
    gateway_started_at: "2026-01-01T00:00:00Z",
    services: [],
    missing: [],
    counts: { cameras: 1, streaming: 1, people: 1, viewers: 1 },
  };

  it("says nothing while all is well", () => {
    expect(troubles(fine)).toEqual([]);
  });

  it("says what a missing service means for the person at the screen, however its name is spelt", () => {
    const expected = ["Model server is down: names and emotions are paused."];
    expect(troubles({ ...fine, missing: ["model_server"] })).toEqual(expected);
    expect(troubles({ ...fine, missing: ["model-server"] })).toEqual(expected);
  });

  it("says the same problem of several instances once", () => {
    const degraded = {
      service: "recognizer",
      state: "degraded" as const,
      problems: ["no model server"],
      started_at: "2026-01-01T00:00:00Z",
    };
    const services = ["a", "b"].map((instance) => ({ ...degraded, instance }));
    expect(troubles({ ...fine, services })).toEqual(["Recognizer: no model server."]);
  });
});

describe("an error from the gateway", () => {
  it("goes to the fields that FastAPI names", () => {
    const error = errorFromBody(422, { detail: [{ loc: ["body", "url"], msg: "Value error, too short" }] });
    expect(error.fields).toEqual({ url: "Too short." });
  });

  it("goes to the field whose words it uses", () => {
    const aboutUrl = errorFromBody(422, { detail: "the camera's address is not a valid URL" });
    expect(fieldErrors(aboutUrl, FIELD_HINTS)).toHaveProperty("url");
    const taken = errorFromBody(409, { detail: "there is a camera 'front-door' already" });
    expect(fieldErrors(taken, FIELD_HINTS)).toHaveProperty("name");
    const purpose = errorFromBody(422, { detail: "emotion can be turned on only with a purpose" });
    expect(fieldErrors(purpose, FIELD_HINTS)).toHaveProperty("emotion_purpose");
  });

  it("has words even when the body has none", () => {
    expect(errorFromBody(0, null).message).toContain("can't be reached");
    expect(errorFromBody(500, null).message).toContain("500");
  });
});

describe("the camera form", () => {
  it("leaves the password out unless it was typed or is to be removed", () => {
    const values = { ...valuesOf(), name: " Door ", url: "rtsp://x/y" };
    expect(requestOf(values)).toMatchObject({ name: "Door", sampled_fps: 5, username: null });
    expect(requestOf(values)).not.toHaveProperty("password");
    expect(requestOf({ ...values, password: "s" })).toHaveProperty("password", "s");
    expect(requestOf({ ...values, removePassword: true })).toHaveProperty("password", null);
  });

  it("sends the main stream as none when it is left empty", () => {
    const values = { ...valuesOf(), name: "Door", url: "rtsp://x/y" };
    expect(requestOf(values)).toMatchObject({ main_stream_url: null, frame_width_px: 1280 });
    expect(requestOf({ ...values, main_stream_url: " rtsp://x/z " }).main_stream_url).toBe("rtsp://x/z");
  });

  it("shows an error about the main stream at its own field", () => {
    const error = errorFromBody(422, { detail: "the main stream's address needs a scheme" });
    expect(Object.keys(fieldErrors(error, FIELD_HINTS))).toEqual(["main_stream_url"]);
  });
});

describe("photos to upload", () => {
  it("go in requests of at most 50, without the ones that are too large", () => {
    const files = [...Array.from({ length: 120 }, () => ({ size: 1 })), { size: 11 * 1024 * 1024 }];
    const { batches: requests, tooLarge } = batches(files);
    expect(requests.map((request) => request.length)).toEqual([50, 50, 20]);
    expect(tooLarge).toHaveLength(1);
  });
});

describe("durations", () => {
  it("are said in one unit", () => {
    expect([0, 59_000, 61_000, 7_300_000, 90_000_000].map(durationWords)).toEqual([
      "0 s",
      "59 s",
      "1 min",
      "2 h",
      "1 day",
    ]);
  });
});
