import { useEffect, useRef, useState } from "react";
import type { FaceCheck } from "../api/types";
import { cameraErrorWords, closeCamera, Grabber, openCamera } from "./camera";
import { HOLD_CHECKS, stepKey, stepName, stepTask, type Step, type Taken } from "./coach";
import { Judge, type Wanted } from "./judge";
import { mirrorBox } from "./mirror";

const JUDGED_SIDE_PX = 960;
const COUNTDOWN_FROM = 3;

interface StageProps {
  sessionId: string;
  step: Step;
  /** Share of all steps that are done. */
  done: number;
  paused: boolean;
  take: (taken: Taken) => void;
  heard: (check: FaceCheck | null) => void;
  failed: (words: string) => void;
}

/** The person in a mirror, with what to do next and a ring round their face that fills. */
export function CoachStage({ sessionId, step, done, paused, take, heard, failed }: StageProps) {
  const stage = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [check, setCheck] = useState<FaceCheck | null>(null);
  const [count, setCount] = useState<number | null>(null);
  const [ready, setReady] = useState(false);
  const now = useRef({ step, paused, count, take, heard, failed });
  now.current = { step, paused, count, take, heard, failed };
  const straight = useRef<Wanted["straight"]>({ yaw: 0, pitch: 0 });
  const held = useRef({ key: "", checks: 0 });

  useEffect(() => {
    const grabber = new Grabber(video.current!, JUDGED_SIDE_PX);
    let stream: MediaStream | null = null;
    let gone = false;
    const judge = new Judge(
      sessionId,
      grabber,
      () => ({
        pose: now.current.step.kind === "pose" ? now.current.step.label : null,
        straight: straight.current,
      }),
      (said, picture, pose) => {
        setCheck(said);
        now.current.heard(said);
        const { step, paused, count, take } = now.current;
        const asked = step.kind === "pose" ? step.label : null;
        if (paused || pose !== asked) return;
        const key = stepKey(step);
        const checks = said.is_good ? (held.current.key === key ? held.current.checks : 0) + 1 : 0;
        held.current = { key, checks };
        const isDue = step.kind === "pose" ? checks >= HOLD_CHECKS : count === 0 && said.is_good;
        if (!isDue) return;
        if (step.label === "front") straight.current = { yaw: said.yaw, pitch: said.pitch };
        held.current = { key: "", checks: 0 };
        setCount(null);
        take({ step, jpeg: picture.jpeg, quality: said.quality, kept: true });
      },
      (error) => now.current.failed(error.message),
    );
    async function begin() {
      try {
        stream = await openCamera(video.current!);
      } catch (error) {
        if (!gone) now.current.failed(cameraErrorWords(error));
        return;
      }
      if (gone) return closeCamera(stream);
      const { videoWidth, videoHeight } = video.current!;
      stage.current?.style.setProperty("--picture-ratio", String(videoWidth / videoHeight));
      setReady(true);
      await judge.run();
    }
    void begin();
    return () => {
      gone = true;
      judge.stop();
      closeCamera(stream);
    };
  }, [sessionId]);

  useEffect(() => {
    if (count === null || count === 0) return;
    const timer = setTimeout(() => setCount(count - 1), 900);
    return () => clearTimeout(timer);
  }, [count]);
  useEffect(() => setCount(null), [stepKey(step), paused]);

  const isExpression = step.kind === "emotion";
  const advice = check && (!check.is_good || !isExpression) ? check.words : "";
  const [words, aside] = isExpression ? [stepTask(step), advice] : [advice || stepTask(step), stepName(step)];
  return (
    <div>
      <div ref={stage} className="webcam__stage" data-testid="coach-stage" data-step={stepKey(step)}>
        <video ref={video} className="webcam__video" muted playsInline aria-label="Your own picture" />
        {!ready && (
          <div className="webcam__waiting" role="status">
            <span className="spinner" />
            Waiting for the camera… Allow it if the browser asks.
          </div>
        )}
        {ready && <Ring check={check} share={paused ? 0 : done} />}
        {count !== null && count > 0 && <div className="coach__countdown">{count}</div>}
      </div>
      {ready && (
        <p className="coach__words" aria-live="polite">
          {paused ? "Paused" : words}
          <small>{paused ? "Nothing is taken." : aside || "\u00a0"}</small>
        </p>
      )}
      {isExpression && ready && (
        <p className="webcam__foot">
          <button
            type="button"
            className="button button--main button--wide"
            disabled={paused || count !== null}
            onClick={() => setCount(COUNTDOWN_FROM)}
          >
            {count === null
              ? "I'm ready: count to three"
              : count > 0
                ? "Hold it…"
                : "Taking it when it is good…"}
          </button>
        </p>
      )}
    </div>
  );
}

/** Round the face where one is seen, else in the middle; it fills with the steps that are done. */
function Ring({ check, share }: { check: FaceCheck | null; share: number }) {
  const [width, height] = check?.size_wh ?? [16, 9];
  const box = check?.box_xyxy ? mirrorBox(check.box_xyxy, width) : null;
  const [left, top, right, bottom] = box ?? [
    width / 2 - height * 0.3,
    height * 0.2,
    width / 2 + height * 0.3,
    height * 0.8,
  ];
  const side = Math.max(right - left, bottom - top) * 1.35;
  const percent = (value: number, whole: number) => `${((value / whole) * 100).toFixed(2)}%`;
  return (
    <svg
      className="coach__ring"
      viewBox="0 0 200 200"
      aria-hidden="true"
      style={{
        left: percent((left + right - side) / 2, width),
        top: percent((top + bottom - side) / 2, height),
        width: percent(side, width),
        height: percent(side, height),
      }}
    >
      <circle cx="100" cy="100" r="97" />
      <circle
        className="coach__ring-fill"
        cx="100"
        cy="100"
        r="97"
        pathLength={100}
        strokeDasharray="100 100"
        strokeDashoffset={100 - 100 * share}
      />
    </svg>
  );
}
