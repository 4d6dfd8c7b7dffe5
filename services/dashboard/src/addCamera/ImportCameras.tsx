/** Many cameras from one file: choose it, see what would happen, import, and take it back if it was wrong. */
import { useState, type ChangeEvent } from "react";
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import type { ImportPreview } from "../api/types";
import { cameras } from "../live/live";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { Field, Notice } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { sentence } from "../words";
import { importAll, type Imported } from "./importing";

const FORMATS: Record<ImportPreview["format"], string> = {
  csv: "a table",
  yaml: "a list",
  frigate: "a Frigate configuration",
  go2rtc: "a go2rtc configuration",
};
const VERDICTS = { new: "New", duplicate: "There already", invalid: "Can't be added" };

export function ImportCameras({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File>();
  const [variables, setVariables] = useState<Record<string, string>>({});
  const [preview, setPreview] = useState<ImportPreview>();
  const [failure, setFailure] = useState<string>();
  const [share, setShare] = useState<number>();

  async function look(chosen: File, values: Record<string, string>) {
    setFailure(undefined);
    try {
      setPreview(await api.previewImport(chosen, values));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setPreview(undefined);
      setFailure(error.message);
    }
  }

  function choose(event: ChangeEvent<HTMLInputElement>) {
    const chosen = event.target.files?.[0];
    if (!chosen) return;
    setFile(chosen);
    void look(chosen, variables);
  }

  async function run() {
    if (!file || !preview) return;
    setShare(0);
    setFailure(undefined);
    let imported: Imported = { count: 0 };
    try {
      imported = await importAll(
        (step) => api.importCameras(file, variables, step),
        preview.cameras.length,
        (progress) => {
          imported = progress;
          setShare(progress.share);
        },
      );
      sayImported(imported);
      onClose();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setShare(undefined);
      if (imported.count > 0) sayImported(imported);
      setFailure(`${error.message} ${imported.count} were added before.`);
      void look(file, variables);
    }
    void cameras.refresh();
  }

  return (
    <Dialog title="Import cameras" onClose={onClose}>
      <div className="form" data-testid="import">
        <Field
          label="File"
          help={
            <>
              A table (CSV) with the columns <code>name</code> and <code>url</code>, Mien's own YAML, or the
              configuration of Frigate or go2rtc. Nothing in it is run or fetched.
            </>
          }
        >
          <input type="file" accept=".csv,.yaml,.yml,text/csv,text/plain" onChange={choose} />
        </Field>
        {failure && <Notice tone="bad">{failure}</Notice>}
        {preview && file && (
          <>
            <Needed
              names={namesOf(preview, variables)}
              values={variables}
              change={(name, value) => setVariables({ ...variables, [name]: value })}
              done={() => void look(file, variables)}
            />
            <Planned preview={preview} />
          </>
        )}
        {share !== undefined && <progress value={share} max={1} aria-label="Importing" />}
        <div className="form__actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="button"
            className="button button--main"
            disabled={!preview?.new || share !== undefined}
            onClick={() => void run()}
          >
            {preview?.new ? `Add ${cameraCount(preview.new)}` : "Add cameras"}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function Needed({
  names,
  values,
  change,
  done,
}: {
  names: string[];
  values: Record<string, string>;
  change: (name: string, value: string) => void;
  done: () => void;
}) {
  if (names.length === 0) return null;
  return (
    <div className="form needed">
      <p className="hint">
        The file names values that are kept elsewhere. Cameras that need them wait for these:
      </p>
      {names.map((name) => (
        <Field key={name} label={name}>
          <input
            type="password"
            autoComplete="off"
            value={values[name] ?? ""}
            onChange={(event) => change(name, event.target.value)}
            onBlur={done}
          />
        </Field>
      ))}
    </div>
  );
}

function Planned({ preview }: { preview: ImportPreview }) {
  return (
    <>
      <p>
        It is {FORMATS[preview.format]}: <strong>{preview.new} new</strong>, {preview.duplicates} there
        already, {preview.invalid} that can't be added.
      </p>
      <ul className="planned" tabIndex={0} aria-label="Cameras in the file">
        {preview.cameras.map((camera) => (
          <li key={`${camera.place} ${camera.name}`} data-verdict={camera.verdict}>
            <span className={`dot dot--${TONES[camera.verdict]}`} aria-hidden="true" />
            <span className="planned__what">
              <strong>{camera.name || camera.place}</strong>
              <small>{camera.why ? sentence(camera.why) : camera.url}</small>
            </span>
            <small>
              <span className="hidden">{VERDICTS[camera.verdict]}, </span>
              {camera.place}
            </small>
          </li>
        ))}
      </ul>
    </>
  );
}

const TONES = { new: "good", duplicate: "off", invalid: "bad" } as const;

/** The button of the page: all cameras as a file, without passwords. */
export function ExportButton() {
  async function save() {
    try {
      const { filename, text } = await api.exportCameras("yaml");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
      link.download = filename;
      link.click();
      URL.revokeObjectURL(link.href);
      toast("Saved without passwords.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message);
    }
  }
  return (
    <button type="button" className="button" onClick={() => void save()}>
      Export
    </button>
  );
}

export function ImportButton({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="button" onClick={onClick}>
      <Icon name="upload" /> Import
    </button>
  );
}

/** Those that are missing, and those that were given here, so that a typing error can be mended. */
function namesOf(preview: ImportPreview, given: Record<string, string>): string[] {
  return [...new Set([...Object.keys(given), ...preview.needs])].sort();
}

function sayImported({ count, importId }: Imported): void {
  const words = `${cameraCount(count)} ${count === 1 ? "is" : "are"} added.`;
  if (!importId) return toast(words);
  toast(words, { label: "Undo", run: () => void undo(importId) });
}

async function undo(importId: string): Promise<void> {
  try {
    const { removed, kept } = await api.undoCameraImport(importId);
    const stayed = kept.length > 0 ? ` ${kept.length} stayed, edited since.` : "";
    toast(`${cameraCount(removed.length)} removed.${stayed}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message);
  }
  void cameras.refresh();
}

const cameraCount = (count: number): string => (count === 1 ? "1 camera" : `${count} cameras`);
