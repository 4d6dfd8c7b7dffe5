import type { TrainingDetail } from "../api/types";
import { CurveChart } from "./Curves";
import { chartsOf, leftWords, stepWords } from "./training";

/** How far a training is: a bar for each step, and curves as they grow. */
export function JobProgress({ job }: { job: TrainingDetail }) {
  const charts = chartsOf(job.curves);
  const lastEpoch = job.curves.at(-1)?.epoch ?? 1;
  const isRunning = job.state === "running";
  return (
    <>
      {isRunning && job.steps.length === 0 && (
        <p className="muted step__starting">
          <span className="spinner" /> Starting. The first step is told of in a few seconds.
        </p>
      )}
      {job.steps.length > 0 && (
        <ol className="steps" data-testid="steps">
          {job.steps.map((step) => (
            <li key={step.step} className="step">
              <span className="step__name">{stepWords(step.step)}</span>
              <progress max={Math.max(step.total, 1)} value={step.done} aria-label={stepWords(step.step)} />
              <span className="step__count">
                {step.done} of {step.total}
              </span>
              <span className="step__left">{isRunning ? leftWords(step.seconds_left) : ""}</span>
            </li>
          ))}
        </ol>
      )}
      {charts.length > 0 && (
        <div className="curves">
          {charts.map((chart) => (
            <CurveChart
              key={chart.name}
              chart={chart}
              epochs={
                isRunning ? Math.max(Math.min(job.epochs_at_most ?? 0, lastEpoch * 2), lastEpoch) : lastEpoch
              }
            />
          ))}
        </div>
      )}
    </>
  );
}
