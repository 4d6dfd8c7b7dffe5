import { useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { TrainingDetail } from "../api/types";
import { told } from "../pages/denyPerson";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Icon } from "../ui/Icon";
import { EmptyState, Notice, PageHead, Pill, useNow } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { sentence } from "../words";
import { JobProgress } from "./JobProgress";
import { canGoOn, isUnderWay, jobWords, percentWords, requestedWords, tookWords } from "./training";

const EVERY_MS = 1_000;

/** One training: its progress and curves while it runs, its figures and report afterwards. */
export function JobPage() {
  const { jobId = "" } = useParams();
  const resource = useMemo(() => new Resource(() => api.trainingJob(jobId)), [jobId]);
  const { data: job, error } = useResource(resource, EVERY_MS);
  const [deleting, setDeleting] = useState(false);
  const changed = () => void resource.refresh();
  if (error?.status === 404) return <Gone />;
  if (!job) return error ? <Notice tone="bad">{error.message}</Notice> : null;
  const { tone, word } = jobWords(job);
  return (
    <>
      <Link to="/training" className="back">
        <Icon name="back" /> Training
      </Link>
      <PageHead title={job.title}>
        {job.has_report && (
          <a className="button button--main" href={reportAddress(job)} target="_blank" rel="noreferrer">
            Open the report
          </a>
        )}
        <Actions job={job} changed={changed} askToDelete={() => setDeleting(true)} />
      </PageHead>
      {error && <Notice tone="bad">{error.message}</Notice>}
      {job.explanation && <Notice tone="bad">{sentence(job.explanation)}</Notice>}
      {job.state === "interrupted" && (
        <Notice tone="warn">
          Its process ended without a word: the machine was turned off, or ran out of memory. What was
          measured is kept; go on with it.
        </Notice>
      )}
      <section className="panel" data-testid="job" data-state={job.state}>
        <header className="panel__head">
          <Pill tone={tone}>{word}</Pill>
          <Facts job={job} />
        </header>
        {job.state === "queued" && <p className="muted">{queueWords(job)}</p>}
        <JobProgress job={job} />
      </section>
      <section className="panel">
        <h2>What was asked for</h2>
        <dl className="options">
          {Object.entries(job.options)
            .filter(
              ([name, value]) =>
                name !== "model_repo" &&
                (typeof value !== "object" || Array.isArray(value)) &&
                String(value) !== "",
            )
            .map(([name, value]) => (
              <div key={name}>
                <dt>{name.replaceAll("_", " ")}</dt>
                <dd>{String(value)}</dd>
              </div>
            ))}
        </dl>
        <p className="hint">
          {requestedWords(job)} The training keeps copies of faces for its report; deleting it deletes them.
        </p>
      </section>
      {deleting && <DeleteDialog job={job} close={() => setDeleting(false)} />}
    </>
  );
}

export const reportAddress = (job: { job_id: string }): string =>
  `/api/training/jobs/${encodeURIComponent(job.job_id)}/report.html`;

function queueWords(job: TrainingDetail): string {
  const ahead = (job.queue_position ?? 1) - 1;
  if (ahead > 0) return ahead === 1 ? "One training waits before it." : `${ahead} trainings wait before it.`;
  return "It is next: a trainer begins it as soon as no other training runs.";
}

function Facts({ job }: { job: TrainingDetail }) {
  const now = useNow(1_000);
  const took = tookWords(job, now);
  return (
    <p className="job-facts">
      {job.accuracy !== null && (
        <span>
          <strong>{percentWords(job.accuracy)}</strong> of held-out pictures right
        </span>
      )}
      {job.macro_f1 !== null && (
        <span>
          mean F1 <strong>{job.macro_f1.toFixed(3)}</strong>
        </span>
      )}
      {job.version !== null && (
        <span>
          became <strong>version {job.version}</strong>
        </span>
      )}
      <span className="muted">
        {new Date(job.started_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}
        {took && `, ${took}`}
      </span>
    </p>
  );
}

function Actions({
  job,
  changed,
  askToDelete,
}: {
  job: TrainingDetail;
  changed: () => void;
  askToDelete: () => void;
}) {
  const [busy, setBusy] = useState(false);
  async function run(work: () => Promise<unknown>, words: string) {
    setBusy(true);
    await told(async () => {
      await work();
      changed();
      toast(words);
    });
    setBusy(false);
  }
  return (
    <>
      {canGoOn(job) && (
        <button
          type="button"
          className="button button--main"
          disabled={busy}
          onClick={() => void run(() => api.resumeTraining(job.job_id), "It goes on where it was.")}
        >
          Go on
        </button>
      )}
      {isUnderWay(job) && (
        <button
          type="button"
          className="button"
          disabled={busy}
          onClick={() =>
            void run(() => api.cancelTraining(job.job_id), "It ends within seconds, and can be gone on with.")
          }
        >
          Cancel
        </button>
      )}
      {job.state !== "running" && (
        <button type="button" className="button button--danger" onClick={askToDelete}>
          Delete
        </button>
      )}
    </>
  );
}

function DeleteDialog({ job, close }: { job: TrainingDetail; close: () => void }) {
  const navigate = useNavigate();
  async function submit() {
    if (await told(() => api.deleteTraining(job.job_id))) await navigate("/training");
    else close();
  }
  return (
    <ConfirmDialog title="Delete this training?" action="Delete" onConfirm={submit} onClose={close}>
      <p>
        Its report, curves and copies of faces are deleted.{" "}
        {job.version !== null && `Version ${job.version} of the model stays. `}This can't be undone.
      </p>
    </ConfirmDialog>
  );
}

function Gone() {
  return (
    <EmptyState
      icon="training"
      title="This training is not here any more"
      action={
        <Link className="button" to="/training">
          All trainings
        </Link>
      }
    >
      <p>It may have been deleted meanwhile.</p>
    </EmptyState>
  );
}
