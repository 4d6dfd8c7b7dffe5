import { describe, expect, it } from "vitest";
import type { Training, TrainingKind, TrainingOption } from "../src/api/types";
import {
  canarySetting,
  chartsOf,
  chosenOptions,
  figureWords,
  leftWords,
  roundUp,
  stepWords,
  tookWords,
  trainerWords,
  wasTrained,
} from "../src/training/training";

const JOB: Training = {
  job_id: "identity-1",
  kind: "identity",
  title: "Identity classifier",
  state: "running",
  started_at: "2026-01-01T00:00:00Z",
  ended_at: null,
  explanation: "",
  requested_by: "ada",
  accuracy: null,
  macro_f1: null,
  version: null,
  has_report: false,
};

describe("a training in words", () => {
  it("tells how long it took, or has been running", () => {
    const minuteLater = Date.parse("2026-01-01T00:01:00Z");
    expect(tookWords(JOB, minuteLater)).toBe("1 min");
    expect(tookWords({ ...JOB, state: "failed", ended_at: "2026-01-01T00:00:05Z" }, minuteLater)).toBe("5 s");
    expect(tookWords({ ...JOB, state: "queued" }, minuteLater)).toBe("");
    expect(tookWords({ ...JOB, state: "interrupted" }, minuteLater)).toBe("");
  });
  it("names steps that it has never heard of", () => {
    expect(stepWords("embedding")).toBe("Measuring faces");
    expect(stepWords("warm_up")).toBe("Warm up");
  });
  it("tells the time left only where there is a pace", () => {
    expect(leftWords(null)).toBe("");
    expect(leftWords(120)).toBe("about 2 min left");
    expect(leftWords(0.2)).toBe("about 1 s left");
  });
  it("says what helps where nothing can be trained, and nothing where it can", () => {
    const trainer = { missing_packages: [], install_command: null };
    expect(trainerWords({ ...trainer, state: "idle" })).toBeNull();
    expect(trainerWords({ ...trainer, state: "working" })).toBeNull();
    expect(trainerWords({ ...trainer, state: "away" })?.command).toContain("trainer");
    const missing = trainerWords({
      state: "not_installed",
      missing_packages: ["tensorflow-cpu"],
      install_command: "bin/mien setup",
    });
    expect(missing?.words).toContain("tensorflow-cpu");
    expect(missing?.command).toBe("bin/mien setup");
  });
  it("names the setting by which a worker tries a canary", () => {
    expect(canarySetting({ model: "emotion_classifier" })).toBe("MIEN_EMOTION_MODEL_LABEL=canary");
    expect(canarySetting({ model: "identity_classifier" })).toContain("RECOGNIZER");
  });
  it("tells what was trained from what was built at set-up", () => {
    const version = {
      version: 1,
      labels: [],
      made_from: "npm",
      made_at: "2026-01-01T00:00:00Z",
      job_id: null,
      accuracy: null,
      has_report: false,
    };
    const model = { model: "emotion_classifier", title: "Emotion network", can_roll_back: false };
    expect(wasTrained({ ...model, versions: [version] })).toBe(false);
    expect(wasTrained({ ...model, versions: [{ ...version, job_id: "emotion-1" }, version] })).toBe(true);
  });
  it("shortens figures", () => {
    expect(figureWords(0.01234)).toBe("0.0123");
    expect(figureWords(0.00000208)).toBe("2.1e-6");
    expect(figureWords(0)).toBe("0.00");
  });
});

describe("curves", () => {
  it("puts a figure and its validation into one chart, losses last", () => {
    const charts = chartsOf([
      { epoch: 1, figures: { loss: 2, validation_loss: 1.5, accuracy: 0.5 } },
      { epoch: 2, figures: { loss: 1, validation_loss: 1.2, accuracy: 0.75 } },
    ]);
    expect(charts.map(({ name }) => name)).toEqual(["accuracy", "loss"]);
    expect(charts[1]?.lines).toEqual([
      {
        label: "training",
        points: [
          [1, 2],
          [2, 1],
        ],
      },
      {
        label: "validation",
        points: [
          [1, 1.5],
          [2, 1.2],
        ],
      },
    ]);
    expect(chartsOf([])).toEqual([]);
  });
  it("have axes that end at a round number", () => {
    expect([0.03, 1.1, 2, 7, 0].map(roundUp)).toEqual([0.05, 2, 2, 10, 1]);
  });
});

describe("what was chosen", () => {
  const OPTION: TrainingOption = {
    name: "epochs",
    title: "Epochs",
    meaning: "",
    default: 200,
    least: 1,
    most: 10_000,
    choices: [],
    is_rarely_changed: false,
  };
  const KIND: TrainingKind = {
    kind: "identity",
    title: "",
    meaning: "",
    model: "",
    trains_on: "people",
    least_groups: 2,
    least_pictures: 3,
    options: [OPTION, { ...OPTION, name: "embedder", default: "a", choices: ["a", "b"] }],
  };
  it("is sent as numbers and words, without what was left as it is", () => {
    const form = new FormData();
    form.set("epochs", "200");
    form.set("embedder", "b");
    form.set("elsewhere", "1");
    expect(chosenOptions(KIND, form)).toEqual({ embedder: "b" });
    form.set("epochs", "12");
    expect(chosenOptions(KIND, form)).toEqual({ epochs: 12, embedder: "b" });
  });
});
