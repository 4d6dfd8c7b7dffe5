import { useEffect, useMemo, useState, type FormEvent } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { ImportInfo } from "../api/types";
import { people } from "../live/live";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Icon } from "../ui/Icon";
import { EmptyState, Field, Notice, PageHead, Pill } from "../ui/parts";
import { told } from "./denyPerson";
import { ImportPeople, ImportProblems } from "./ImportPeople";
import { countWords, peopleWords, photosWords, shareDone, stateWords } from "./importWords";

const WHILE_BUSY_MS = 1_000;
const BUSY = new Set<ImportInfo["state"]>(["reading", "running", "undoing"]);

/** One import: its preview, its progress, its report. */
export function ImportPage() {
  const { importId = "" } = useParams();
  const resource = useMemo(() => new Resource(() => api.import(importId)), [importId]);
  const { data, error } = useResource(resource);
  const busy = data !== undefined && BUSY.has(data.state);
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => void resource.refresh(), WHILE_BUSY_MS);
    return () => {
      clearInterval(timer);
      void people.refresh();
    };
  }, [busy, resource]);

  if (error?.status === 404) return <Gone />;
  if (!data) return error ? <Notice tone="bad">{error.message}</Notice> : null;
  const { tone, words } = stateWords(data);
  return (
    <div data-testid="import" data-state={data.state}>
      <Link to="/people/import" className="back">
        <Icon name="back" /> Imports
      </Link>
      <PageHead title={data.source}>
        <Pill tone={tone}>{words}</Pill>
      </PageHead>
      {error && <Notice tone="bad">{error.message}</Notice>}
      {data.problem && <Notice tone="bad">The archive was not read to its end: {data.problem}.</Notice>}
      {data.state === "draft" ? (
        <Preview data={data} changed={() => void resource.refresh()} />
      ) : (
        <Progress data={data} changed={() => void resource.refresh()} />
      )}
      {data.state !== "undone" && (
        <>
          <ImportPeople people={data.people} done={data.state === "done"} />
          <ImportProblems data={data} />
        </>
      )}
    </div>
  );
}

function Gone() {
  return (
    <EmptyState
      icon="upload"
      title="This import is not here any more"
      action={
        <Link className="button" to="/people/import">
          All imports
        </Link>
      }
    >
      <p>What was never enrolled is deleted after a day.</p>
    </EmptyState>
  );
}

function Preview({ data, changed }: { data: ImportInfo; changed: () => void }) {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const { files } = data.counts;

  async function commit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const note = String(new FormData(event.currentTarget).get("consent_note"));
    setBusy(true);
    await told(async () => {
      await api.commitImport(data.import_id, note);
      changed();
    });
    setBusy(false);
  }

  const discard = () =>
    told(async () => {
      await api.discardImport(data.import_id);
      await navigate("/people/import");
    });

  return (
    <section className="panel">
      <h2>
        {files > 0
          ? `${photosWords(files)} of ${peopleWords(data.people)}`
          : "There is nothing to enrol in this import"}
      </h2>
      <form className="form" onSubmit={(event) => void commit(event)}>
        {files > 0 && (
          <Field
            label="Consent"
            help="When and how they agreed to be recognised. It is noted with everybody who is new."
          >
            <textarea
              name="consent_note"
              rows={2}
              maxLength={2000}
              required
              placeholder="Signed forms, 12 March"
            />
          </Field>
        )}
        <div className="form__actions">
          <button type="button" className="button" onClick={() => void discard()}>
            Discard
          </button>
          {files > 0 && (
            <button className="button button--main" disabled={busy}>
              Enrol {photosWords(files)}
            </button>
          )}
        </div>
      </form>
    </section>
  );
}

function Progress({ data, changed }: { data: ImportInfo; changed: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <section className="panel" aria-live="polite">
      <h2>{progressTitle(data)}</h2>
      {(data.state === "reading" || data.state === "running") && (
        <progress className="progress--wide" value={shareDone(data)} aria-label={progressTitle(data)} />
      )}
      {data.state === "undoing" && <progress className="progress--wide" aria-label="Undoing" />}
      <p className="muted">{progressHint(data)}</p>
      {(data.state === "running" || data.state === "done") && (
        <div className="form__actions">
          <button type="button" className="button button--danger" onClick={() => setAsking(true)}>
            Undo this import
          </button>
          {data.state === "done" && (
            <Link className="button button--main" to="/people">
              All people
            </Link>
          )}
        </div>
      )}
      {asking && <UndoDialog data={data} close={() => setAsking(false)} changed={changed} />}
    </section>
  );
}

function progressTitle(data: ImportInfo): string {
  const { state, counts } = data;
  if (state === "reading") return `Reading the archive: ${counts.read} of ${counts.entries}`;
  if (state === "running") return `Enrolling: ${counts.files - counts.waiting} of ${counts.files}`;
  if (state === "undoing") return "Undoing";
  if (state === "undone") return "This import was undone";
  return countWords(data);
}

function progressHint(data: ImportInfo): string {
  if (data.state === "undone") return "Its photos are deleted, and the people whom it brought are forgotten.";
  if (data.state === "undoing") return "Photos and people that came with it are deleted.";
  if (data.state === "done") return `Consent: ${data.consent_note}`;
  return "This goes on by itself; you may close the page.";
}

function UndoDialog({ data, close, changed }: { data: ImportInfo; close: () => void; changed: () => void }) {
  async function undo() {
    await told(async () => {
      await api.undoImport(data.import_id);
      changed();
    });
    close();
  }
  return (
    <ConfirmDialog title={`Undo ${data.source}?`} action="Undo the import" onConfirm={undo} onClose={close}>
      <p>
        Its {photosWords(data.counts.files)} are deleted for good. People whom it brought are forgotten,
        unless they have other photos by now.
      </p>
    </ConfirmDialog>
  );
}
