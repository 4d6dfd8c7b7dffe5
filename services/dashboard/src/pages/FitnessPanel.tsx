import { useEffect, useMemo, useState } from "react";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { Camera, Fitness, FitnessReport } from "../api/types";
import { cameras } from "../live/live";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Notice, Pill, useNow } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { durationWords } from "../words";
import { attempt } from "./cameraActions";
import { fitnessWords, histogram, SCALES, shareWords, type Histogram } from "./cameraFitness";

const EVERY_MS = 5_000;

export function FitnessPill({ fitness }: { fitness: Fitness }) {
  const { tone, word } = fitnessWords(fitness);
  return (
    <span title={fitness.advice || undefined} data-testid="fitness" data-fitness={fitness.fitness}>
      <Pill tone={tone}>{word}</Pill>
    </span>
  );
}

/** How well a camera is placed for faces, why, and what to do about it. */
export function FitnessPanel({ camera }: { camera: Camera }) {
  const cameraId = camera.camera_id;
  const resource = useMemo(() => new Resource(() => api.fitness(cameraId)), [cameraId]);
  const { data: report, error } = useResource(resource, EVERY_MS);
  // A change of what the camera sees begins a new judgement.
  useEffect(() => void resource.refresh(), [resource, camera.revision]);
  const [asking, setAsking] = useState(false);
  const reset = () =>
    attempt(async () => {
      await api.resetFitness(cameraId);
      setAsking(false);
      await Promise.all([resource.refresh(), cameras.refresh()]);
      toast(`${camera.name} is judged by those who pass from now on.`);
    });
  return (
    <section className="panel">
      <header className="panel__head">
        <h2>Fit for faces</h2>
        {report && <FitnessPill fitness={report.fitness} />}
      </header>
      {error && !report && <Notice tone="bad">{error.message}</Notice>}
      {report && <Verdict report={report} camera={camera} />}
      {report && report.faces.length > 0 && (
        <>
          <div className="histograms">
            {SCALES.map((scale) => (
              <HistogramFigure key={scale.measure} histogram={histogram(report, scale)} />
            ))}
          </div>
          <p className="hint">
            Each face with its best view; the tinted part of a scale is good enough.{" "}
            <button type="button" className="link" onClick={() => setAsking(true)}>
              Judge anew
            </button>
          </p>
        </>
      )}
      {asking && (
        <ConfirmDialog
          title={`Judge ${camera.name} anew?`}
          action="Judge anew"
          keep="Cancel"
          tone="main"
          onConfirm={reset}
          onClose={() => setAsking(false)}
        >
          <p>For after the camera was moved, turned or focused: those who passed before are forgotten.</p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function Verdict({ report, camera }: { report: FitnessReport; camera: Camera }) {
  const { fitness } = report;
  const now = useNow(10_000);
  if (camera.identity_policy === "off" && camera.emotion_policy === "off")
    return <p className="muted">Names and emotions are off for this camera, so no face is judged.</p>;
  if (fitness.fitness === "unknown")
    return (
      <div className="progress">
        <p className="muted">
          {fitness.tracks === 0
            ? `Nobody has passed yet. After ${report.tracks_needed} faces Mien says how well this camera is placed.`
            : `${fitness.tracks} of ${report.tracks_needed} faces seen so far; then Mien says how well this camera is placed.`}
        </p>
        <progress value={fitness.tracks} max={report.tracks_needed} aria-label="Faces seen" />
      </div>
    );
  const sinceMs = now - fitness.since_ns / 1e6;
  const { tone } = fitnessWords(fitness);
  return (
    <>
      {fitness.advice && <Notice tone={tone === "good" ? "busy" : tone}>{fitness.advice}</Notice>}
      <p className="muted">
        <strong className="strong">{shareWords(fitness.usable_share, 1)}</strong> of the last {fitness.tracks}{" "}
        faces, over {durationWords(sinceMs)}, gave a view that can be recognised.
        {!fitness.advice && " There is nothing to do."}
      </p>
    </>
  );
}

function HistogramFigure({ histogram: { scale, bars, median, enough, needs } }: { histogram: Histogram }) {
  const most = Math.max(...bars.map((bar) => bar.count), 1);
  const total = bars.reduce((sum, bar) => sum + bar.count, 0);
  const words = `${scale.name}: typically ${scale.words(median)}. ${needs} is needed; ${enough} of ${total} have it.`;
  return (
    <figure className="histogram">
      <figcaption>
        <span>{scale.name}</span>
        <strong>{scale.words(median)}</strong>
        <small>needs {needs}</small>
      </figcaption>
      <div className="histogram__bars" role="img" aria-label={words} title={words}>
        {bars.map((bar, index) => (
          <span key={index} className={bar.isEnough ? "histogram__slot--enough" : ""}>
            {bar.count > 0 && (
              <i
                className={bar.isEnough ? "histogram__bar" : "histogram__bar histogram__bar--short"}
                style={{ height: `${Math.max((100 * bar.count) / most, 6)}%` }}
              />
            )}
          </span>
        ))}
      </div>
      <p className="histogram__ends" aria-hidden="true">
        <span>{scale.ends[0]}</span>
        <span>{scale.ends[1]}</span>
      </p>
    </figure>
  );
}
