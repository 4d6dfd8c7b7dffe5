import { useState } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import type { ModelVersion, ModelVersions } from "../api/types";
import { told } from "../pages/denyPerson";
import { toast } from "../ui/Toasts";
import { Pill } from "../ui/parts";
import { canarySetting, percentWords } from "./training";

const LABELS: Record<string, { tone: "good" | "busy" | "off"; word: string }> = {
  stable: { tone: "good", word: "In use" },
  canary: { tone: "busy", word: "Canary" },
  previous: { tone: "off", word: "In use before" },
};

/** A model's versions: which one answers, and how to change that and back. */
export function ModelPanel({ model, changed }: { model: ModelVersions; changed: () => void }) {
  const [busy, setBusy] = useState(false);

  async function run(work: () => Promise<unknown>, words: string, undo = false) {
    setBusy(true);
    await told(async () => {
      await work();
      changed();
      toast(words, undo ? { label: "Undo", run: () => void rollBack() } : undefined);
    });
    setBusy(false);
  }
  const rollBack = () =>
    run(() => api.rollBack(model.model), "The version that was in use before is so again.");

  return (
    <section className="panel" data-testid="model">
      <header className="panel__head">
        <h2>{model.title}: versions</h2>
        {model.can_roll_back && (
          <button type="button" className="button" disabled={busy} onClick={() => void rollBack()}>
            Roll back
          </button>
        )}
      </header>
      <div className="scroll">
        <table className="table table--versions">
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Right</th>
              <th scope="col">Made</th>
              <th scope="col">
                <span className="hidden">Put to use</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {model.versions.map((version) => (
              <Row
                key={version.version}
                version={version}
                busy={busy}
                use={() =>
                  void run(
                    () => api.giveLabel(model.model, "stable", version.version),
                    `Version ${version.version} is in use within seconds.`,
                    model.versions.some(({ labels }) => labels.includes("stable")),
                  )
                }
                tryIt={() =>
                  void run(
                    () => api.giveLabel(model.model, "canary", version.version),
                    `Version ${version.version} is the canary.`,
                  )
                }
              />
            ))}
          </tbody>
        </table>
      </div>
      <p className="hint">
        The version in use answers everywhere. A canary answers workers that ask for it (
        <code>{canarySetting(model)}</code>), so that it can be watched before it is put to use.
      </p>
    </section>
  );
}

function Row({
  version,
  busy,
  use,
  tryIt,
}: {
  version: ModelVersion;
  busy: boolean;
  use: () => void;
  tryIt: () => void;
}) {
  return (
    <tr>
      <th scope="row">
        <span className="version">
          {version.version}
          {version.labels.map((label) => (
            <Pill key={label} tone={LABELS[label]?.tone ?? "off"}>
              {LABELS[label]?.word ?? label}
            </Pill>
          ))}
        </span>
      </th>
      <td>
        {version.accuracy === null ? (
          <span className="muted">Not known</span>
        ) : (
          percentWords(version.accuracy)
        )}
      </td>
      <td>
        {version.job_id ? (
          <Link to={`/training/${encodeURIComponent(version.job_id)}`}>
            {new Date(version.made_at).toLocaleDateString([], { dateStyle: "medium" })}
          </Link>
        ) : (
          new Date(version.made_at).toLocaleDateString([], { dateStyle: "medium" })
        )}
      </td>
      <td className="table__actions">
        {!version.labels.includes("stable") && (
          <>
            {!version.labels.includes("canary") && (
              <button type="button" className="button" disabled={busy} onClick={tryIt}>
                Make canary
              </button>
            )}
            <button type="button" className="button" disabled={busy} onClick={use}>
              Put to use
            </button>
          </>
        )}
      </td>
    </tr>
  );
}
