import { useEffect, useState, type FormEvent } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "../api/client";
import { ApiError, type FieldErrors } from "../api/errors";
import type { TrainingData, TrainingKind, TrainingOption } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { Field, Notice } from "../ui/parts";
import { chosenOptions } from "./training";

/** Choose what is trained and on what, after a look at the data. */
export function StartTraining({
  kinds,
  datasetsFolder,
  close,
}: {
  kinds: TrainingKind[];
  datasetsFolder: string | null;
  close: () => void;
}) {
  const navigate = useNavigate();
  const [name, setName] = useState(kinds[0]?.kind ?? "");
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<string>();
  const [sourceName, setSourceName] = useState<string>();
  const [busy, setBusy] = useState(false);
  const kind = kinds.find((one) => one.kind === name);
  const { sources, failed } = useData(name);
  const source =
    sources?.find((one) => one.source === sourceName) ?? sources?.find((one) => one.is_ready) ?? sources?.[0];
  if (!kind) return null;

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (!kind || !source) return;
    setBusy(true);
    try {
      const options = chosenOptions(kind, new FormData(event.currentTarget));
      const job = await api.startTraining({ kind: kind.kind, source: source.source, options });
      await navigate(`/training/${encodeURIComponent(job.job_id)}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setErrors(error.fields);
      setFailure(Object.keys(error.fields).length > 0 ? undefined : error.message);
    }
    setBusy(false);
  }

  const often = kind.options.filter((option) => !option.is_rarely_changed);
  const rarely = kind.options.filter((option) => option.is_rarely_changed);
  return (
    <Dialog title="Train" onClose={close}>
      <form className="form start" onSubmit={(event) => void submit(event)}>
        {failure && <Notice tone="bad">{failure}</Notice>}
        {kinds.length > 1 && (
          <Field label="What">
            <select value={name} onChange={(event) => setName(event.target.value)}>
              {kinds.map((one) => (
                <option key={one.kind} value={one.kind}>
                  {one.title}
                </option>
              ))}
            </select>
          </Field>
        )}
        <p className="muted">
          {kinds.length === 1 && <strong>{kind.title}. </strong>}
          {kind.meaning}
        </p>
        {sources && sources.length > 1 && (
          <Field label="Learns from">
            <select value={source?.source} onChange={(event) => setSourceName(event.target.value)}>
              {sources.map((one) => (
                <option key={one.source} value={one.source}>
                  {one.title}
                </option>
              ))}
            </select>
          </Field>
        )}
        {failed && <Notice tone="bad">{failed}</Notice>}
        {source && <DataPreview source={source} kind={kind} />}
        {sources?.length === 0 && <NoFolders folder={datasetsFolder} />}
        <div className="form__pair">
          {often.map((option) => (
            <OptionField key={`${name}.${option.name}`} option={option} error={errors[option.name]} />
          ))}
        </div>
        {rarely.length > 0 && (
          <details className="more" open={rarely.some((option) => errors[option.name])}>
            <summary>More</summary>
            <div className="form__pair">
              {rarely.map((option) => (
                <OptionField key={`${name}.${option.name}`} option={option} error={errors[option.name]} />
              ))}
            </div>
          </details>
        )}
        <div className="form__actions">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button className="button button--main" disabled={busy || !source?.is_ready}>
            Start training
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function useData(kind: string): { sources: TrainingData[] | undefined; failed: string | undefined } {
  const [loaded, setLoaded] = useState<{ kind: string; sources?: TrainingData[]; failed?: string }>();
  useEffect(() => {
    let wanted = true;
    api.trainingData(kind).then(
      (sources) => wanted && setLoaded({ kind, sources }),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (wanted) setLoaded({ kind, failed: error.message });
      },
    );
    return () => {
      wanted = false;
    };
  }, [kind]);
  const current = loaded?.kind === kind ? loaded : undefined;
  return { sources: current?.sources, failed: current?.failed };
}

function DataPreview({ source, kind }: { source: TrainingData; kind: TrainingKind }) {
  const isPeople = kind.trains_on === "people";
  const enough = source.groups.filter((group) => group.is_enough);
  const tooFew = source.groups.filter((group) => !group.is_enough);
  const most = Math.max(...source.groups.map(({ pictures }) => pictures), 1);
  return (
    <section className="preview" data-testid="data-preview">
      <h3>
        {enough.length} {isPeople ? "people" : "labels"},{" "}
        {enough.reduce((sum, { pictures }) => sum + pictures, 0)} {isPeople ? "photos" : "pictures"}
      </h3>
      {!source.is_ready && <Notice tone="warn">{source.explanation}</Notice>}
      {source.groups.length > 0 && (
        <ul className="preview__groups">
          {[...enough, ...tooFew].map((group) => (
            <li key={group.person_id ?? group.name} className={group.is_enough ? "" : "preview__few"}>
              {group.person_id ? (
                <Link to={`/people/${encodeURIComponent(group.person_id)}`}>{group.name}</Link>
              ) : (
                <span>{group.name}</span>
              )}
              <span className="preview__bar" aria-hidden="true">
                <span style={{ width: `${(100 * group.pictures) / most}%` }} />
              </span>
              <span className="count">{group.pictures}</span>
            </li>
          ))}
        </ul>
      )}
      {tooFew.length > 0 && (
        <p className="hint">
          Left out for want of {isPeople ? "photos" : "pictures"} (fewer than {kind.least_pictures}):{" "}
          {tooFew.map(({ name }) => name).join(", ")}.
        </p>
      )}
      {source.not_learnt.length > 0 && (
        <p className="hint">
          Left out, for it learns no such label:{" "}
          {source.not_learnt.map(({ name, pictures }) => `${name} (${pictures})`).join(", ")}.
        </p>
      )}
    </section>
  );
}

function NoFolders({ folder }: { folder: string | null }) {
  return (
    <Notice tone="warn">
      {folder ? (
        <>
          There is no data to train on yet. Put a folder with one folder of pictures for each label into{" "}
          <code>{folder}</code> on the server.
        </>
      ) : (
        <>This gateway has no folder of data sets (MIEN_GATEWAY_DATASETS_DIR).</>
      )}
    </Notice>
  );
}

function OptionField({ option, error }: { option: TrainingOption; error: string | undefined }) {
  return (
    <Field label={option.title} help={option.meaning} error={error}>
      {option.choices.length > 0 ? (
        <select name={option.name} defaultValue={String(option.default)}>
          {option.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          name={option.name}
          type="number"
          step={Number.isInteger(option.default) ? 1 : "any"}
          min={option.least}
          max={option.most}
          defaultValue={option.default}
        />
      )}
    </Field>
  );
}
