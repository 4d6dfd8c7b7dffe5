/** What a guided enrolment asks for, step by step, and what it has taken; pure, so that it can be tested. */
import type { EmotionLabel, Pose } from "../api/types";
import { emotionWords } from "../words";

export type Step = { kind: "pose"; label: Pose } | { kind: "emotion"; label: EmotionLabel };

export interface Taken {
  step: Step;
  jpeg: Blob;
  quality: number;
  kept: boolean;
}

export const POSES: readonly Pose[] = ["front", "left", "right", "up", "down"];
export const EMOTIONS: readonly EmotionLabel[] = ["neutral", "happy", "sad", "angry", "tired"];

export const STEPS: readonly Step[] = [
  ...POSES.map((label): Step => ({ kind: "pose", label })),
  ...EMOTIONS.map((label): Step => ({ kind: "emotion", label })),
];

export const stepKey = ({ kind, label }: Step): string => `${kind}:${label}`;

const POSE_WORDS: Record<Pose, [name: string, task: string]> = {
  front: ["Front", "Look straight into the camera"],
  left: ["Left", "Turn your head to your left"],
  right: ["Right", "Turn your head to your right"],
  up: ["Up", "Raise your chin"],
  down: ["Down", "Lower your chin"],
};

const EMOTION_TASKS: Record<EmotionLabel, string> = {
  neutral: "Look as you do when nothing happens",
  happy: "Smile as if you had good news",
  sad: "Look sad: let the corners of your mouth drop",
  angry: "Look angry: draw your eyebrows together",
  tired: "Look tired: let your eyelids drop",
};

export const stepName = (step: Step): string =>
  step.kind === "pose" ? POSE_WORDS[step.label][0] : emotionWords(step.label);

export const stepTask = (step: Step): string =>
  step.kind === "pose" ? POSE_WORDS[step.label][1] : EMOTION_TASKS[step.label];

/** What is still to be taken, in order: neither here nor saved before. */
export function stepsLeft(taken: readonly Taken[], saved: ReadonlySet<string>): Step[] {
  const done = new Set([...taken.map(({ step }) => stepKey(step)), ...saved]);
  return STEPS.filter((step) => !done.has(stepKey(step)));
}

/** A picture in the place of an earlier one of the same step. */
export const withTaken = (taken: readonly Taken[], one: Taken): Taken[] => [
  ...taken.filter(({ step }) => stepKey(step) !== stepKey(one.step)),
  one,
];

export const savedSteps = (session: { poses: Pose[]; emotions: EmotionLabel[] }): ReadonlySet<string> =>
  new Set([
    ...session.poses.map((label) => stepKey({ kind: "pose", label })),
    ...session.emotions.map((label) => stepKey({ kind: "emotion", label })),
  ]);

/** How long a pose has to be held: so many good pictures one after the other. */
export const HOLD_CHECKS = 2;

/** What a person agrees to; it is stored word for word with who agreed and when. */
export const consentText = (name: string): string =>
  `I, ${name || "…"}, agree that Mien takes pictures of my face now, with different poses and expressions, and keeps those that I choose on the next pages.

They are used to recognise me on this system's cameras. Pictures of my expressions may be used to teach this system to read expressions.

Nothing is kept before I choose it. I can stop at any time, and everything of this can be deleted afterwards, by me on the last page or on request later.`;
