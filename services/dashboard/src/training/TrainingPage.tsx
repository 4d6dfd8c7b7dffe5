import { useMemo, useState } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { Training, TrainingInfo } from "../api/types";
import { Icon } from "../ui/Icon";
import { EmptyState, Notice, PageHead, Pill, useNow } from "../ui/parts";
import { JobProgress } from "./JobProgress";
import { ModelPanel } from "./ModelPanel";
import { StartTraining } from "./StartTraining";
import { jobWords, percentWords, tookWords, trainerWords, wasTrained } from "./training";

const EVERY_MS = 2_000;

/** Networks of your own: what runs, what came of it, and which version is in use. */
export function TrainingPage() {
  const resource = useMemo(() => new Resource(api.training), []);
  const { data, error } = useResource(resource, EVERY_MS);
  const [starting, setStarting] = useState(false);
  const running = data?.jobs.find(({ state }) => state === "running");
  const models = data?.models.filter(({ versions }) => versions.length > 0) ?? [];
  const startButton = (
    <button
      type="button"
      className="button button--main"
      disabled={!data || data.trainer.state === "off"}
      onClick={() => setStarting(true)}
    >
      <Icon name="plus" /> Train
    </button>
  );
  const isEmpty = data && data.jobs.length === 0 && !models.some(wasTrained);
  return (
    <>
      <PageHead title="Training">{!isEmpty && startButton}</PageHead>
      {error && <Notice tone="bad">{error.message}</Notice>}
      {data && <TrainerNotice info={data} />}
      {isEmpty && (
        <EmptyState icon="training" title="Nothing was trained yet" action={startButton}>
          <p>
            Mien recognises people and reads expressions without any training. A classifier of your own helps
            to tell apart people who look alike, once you have several photos of each; an emotion network of
            your own learns how your people look.
          </p>
        </EmptyState>
      )}
      {running && <Running job={running} />}
      {models.map((model) => (
        <ModelPanel key={model.model} model={model} changed={() => void resource.refresh()} />
      ))}
      {data && data.jobs.length > 0 && <Jobs jobs={data.jobs} />}
      {data && starting && (
        <StartTraining
          kinds={data.kinds}
          datasetsFolder={data.datasets_folder}
          close={() => setStarting(false)}
        />
      )}
    </>
  );
}

function TrainerNotice({ info }: { info: TrainingInfo }) {
  const told = trainerWords(info.trainer);
  if (!told) return null;
  return (
    <Notice tone="warn">
      {told.words} {told.command && <code>{told.command}</code>}
    </Notice>
  );
}

function Running({ job }: { job: Training }) {
  const resource = useMemo(() => new Resource(() => api.trainingJob(job.job_id)), [job.job_id]);
  const { data } = useResource(resource, 1_000);
  return (
    <section className="panel" data-testid="running">
      <header className="panel__head">
        <h2>
          <Link to={`/training/${encodeURIComponent(job.job_id)}`}>{job.title}</Link>
        </h2>
        <Pill tone="busy">Running</Pill>
      </header>
      {data && <JobProgress job={data} />}
    </section>
  );
}

function Jobs({ jobs }: { jobs: Training[] }) {
  const now = useNow(5_000);
  return (
    <section className="panel">
      <h2>Trainings</h2>
      <div className="scroll">
        <table className="table table--jobs">
          <thead>
            <tr>
              <th scope="col">Training</th>
              <th scope="col">State</th>
              <th scope="col">Right</th>
              <th scope="col">Version</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <tr key={job.job_id} data-testid="job-row">
                <th scope="row">
                  <Link to={`/training/${encodeURIComponent(job.job_id)}`}>{job.title}</Link>
                  <span className="table__when">
                    {new Date(job.started_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}
                  </span>
                </th>
                <td>
                  <Pill tone={jobWords(job).tone}>{jobWords(job).word}</Pill>
                </td>
                <td>{job.accuracy === null ? "" : percentWords(job.accuracy)}</td>
                <td>{job.version ?? ""}</td>
                <td>{tookWords(job, now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
