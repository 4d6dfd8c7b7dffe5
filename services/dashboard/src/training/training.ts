/** What trainings, their states and their steps are called, and how their figures become lines. */
import type { ModelVersions, Trainer, Training, TrainingDetail, TrainingKind } from "../api/types";
import { durationWords, type Tone } from "../words";

const STATES: Record<Training["state"], { tone: Tone; word: string }> = {
  queued: { tone: "busy", word: "Waiting" },
  running: { tone: "busy", word: "Running" },
  finished: { tone: "good", word: "Finished" },
  failed: { tone: "bad", word: "Failed" },
  cancelled: { tone: "off", word: "Cancelled" },
  interrupted: { tone: "warn", word: "Interrupted" },
};

export const jobWords = (job: Pick<Training, "state">): { tone: Tone; word: string } => STATES[job.state];

export const isUnderWay = (job: Pick<Training, "state">): boolean =>
  job.state === "queued" || job.state === "running";

export const canGoOn = (job: Pick<Training, "state">): boolean =>
  job.state === "failed" || job.state === "cancelled" || job.state === "interrupted";

const STEPS: Record<string, string> = {
  photos: "Fetching photos",
  pictures: "Reading pictures",
  faces: "Finding faces",
  embedding: "Measuring faces",
  features: "Measuring faces",
  training: "Learning",
  strangers: "Testing with strangers",
};

export const stepWords = (step: string): string =>
  STEPS[step] ?? step.charAt(0).toUpperCase() + step.slice(1).replaceAll("_", " ");

export const leftWords = (seconds: number | null): string =>
  seconds === null ? "" : `about ${durationWords(Math.max(seconds, 1) * 1000)} left`;

/** How long a training took, or has been running; empty before it began. */
export function tookWords(job: Training, nowMs: number): string {
  if (job.state === "queued") return "";
  if (!job.ended_at && job.state !== "running") return "";
  return durationWords((job.ended_at ? Date.parse(job.ended_at) : nowMs) - Date.parse(job.started_at));
}

/** Who asked for a training; "cli" is whoever holds the command line's token. */
export const requestedWords = ({ requested_by: name }: Pick<Training, "requested_by">): string =>
  name === "" || name === "cli" ? "Started on the command line." : `Started by ${name}.`;

export const percentWords = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Whether a version came of a training; the others were built at set-up. */
export const wasTrained = (model: ModelVersions): boolean =>
  model.versions.some((version) => version.job_id !== null);

/** What a worker is told so that it asks a model's canary. */
export const canarySetting = ({ model }: Pick<ModelVersions, "model">): string =>
  `${model === "emotion_classifier" ? "MIEN_EMOTION_MODEL_LABEL" : "MIEN_RECOGNIZER_CLASSIFIER_LABEL"}=canary`;

/** Why nothing can be trained at the moment, and what to do about it; null where all is well. */
export function trainerWords(trainer: Trainer): { words: string; command: string | null } | null {
  switch (trainer.state) {
    case "off":
      return {
        words:
          "This gateway has no folder of trainings (MIEN_GATEWAY_JOBS_DIR). On the machine that has the models, train with:",
        command: "mien train identity --gallery",
      };
    case "away":
      return {
        words: "No trainer is running, so trainings wait. mien up starts one; in containers, start it with:",
        command: "docker compose --profile training up -d trainer",
      };
    case "not_installed":
      return {
        words: `The packages for training are not installed on the trainer's machine (${trainer.missing_packages.join(", ")}). Install them there, and waiting trainings begin by themselves:`,
        command: trainer.install_command,
      };
    default:
      return null;
  }
}

export interface Chart {
  /** What is drawn, such as "loss". */
  name: string;
  /** The same figure on pictures that are learnt from, and on others. */
  lines: { label: "training" | "validation"; points: [epoch: number, value: number][] }[];
}

const VALIDATION = "validation_";

/** One chart for each figure, with the training's line and that of validation; losses come last. */
export function chartsOf(curves: TrainingDetail["curves"]): Chart[] {
  const charts = new Map<string, Chart>();
  for (const { epoch, figures } of curves) {
    for (const [key, value] of Object.entries(figures)) {
      const isValidation = key.startsWith(VALIDATION);
      const name = isValidation ? key.slice(VALIDATION.length) : key;
      const label = isValidation ? "validation" : "training";
      const chart = charts.get(name) ?? { name, lines: [] };
      charts.set(name, chart);
      const line = chart.lines.find((one) => one.label === label);
      if (line) line.points.push([epoch, value]);
      else chart.lines.push({ label, points: [[epoch, value]] });
    }
  }
  return [...charts.values()].sort((a, b) => Number(a.name === "loss") - Number(b.name === "loss"));
}

/** Three digits of a number that is no share; very small ones as powers of ten. */
export const figureWords = (value: number): string =>
  value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toPrecision(3);

/** A round number at or above *value*: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10) * power;
}

/** The options of a form as the interface takes them: what was left as it is stays out. */
export function chosenOptions(kind: TrainingKind, form: FormData): Record<string, number | string> {
  const chosen: Record<string, number | string> = {};
  for (const option of kind.options) {
    const text = form.get(option.name);
    if (typeof text !== "string" || text === "") continue;
    const value = option.choices.length > 0 ? text : Number(text);
    if (value !== option.default) chosen[option.name] = value;
  }
  return chosen;
}
