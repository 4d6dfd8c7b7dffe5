import { useState } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { Camera, Readings } from "../api/types";
import { cameras, readings } from "../live/live";
import { attempt } from "../pages/cameraActions";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Field, Notice } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { changeWords, contextWords, policyWords, setByWords } from "./looksWords";

/** Where emotion and tiredness are read, who turned it on, and the one switch that stops all of it. */
export function ReadingsPanel() {
  const { data, error } = useResource(readings, 10_000);
  const list = useResource(cameras, 10_000).data ?? [];
  const reading = list.filter((one) => one.emotion_policy !== "off" || one.tiredness_policy !== "off");
  const [asking, setAsking] = useState(false);
  const resume = () =>
    attempt(async () => {
      await api.resumeReadings();
      await readings.refresh();
      toast("Emotion and tiredness are read again where cameras allow it.");
    });
  return (
    <section className="panel" data-testid="readings">
      <header className="panel__head">
        <h2>Emotion and tiredness</h2>
        {data?.stopped ? (
          <button type="button" className="button" onClick={() => void resume()}>
            Read again
          </button>
        ) : (
          <button type="button" className="button button--danger" onClick={() => setAsking(true)}>
            Stop all reading
          </button>
        )}
      </header>
      {error && !data && <Notice tone="bad">{error.message}</Notice>}
      {data?.stopped && (
        <Notice tone="warn">
          <strong>All reading is stopped</strong> by{" "}
          {setByWords(data.stopped.by, Date.parse(data.stopped.at) * 1e6)}
          {data.stopped.reason && `: ${data.stopped.reason}`}. No camera reads emotion or tiredness.
        </Notice>
      )}
      {reading.length === 0 ? (
        <p className="muted">No camera reads emotion or tiredness.</p>
      ) : (
        <ul className="readings">
          {reading.map((camera) => (
            <Reading key={camera.camera_id} camera={camera} />
          ))}
        </ul>
      )}
      {data && data.changes.length > 0 && <Changes changes={data.changes} />}
      {asking && <StopDialog close={() => setAsking(false)} />}
    </section>
  );
}

function Reading({ camera }: { camera: Camera }) {
  return (
    <li>
      <Link to={`/cameras/${encodeURIComponent(camera.camera_id)}`}>{camera.name}</Link>
      <dl className="facts">
        {camera.emotion_policy !== "off" && (
          <>
            <dt>Emotions</dt>
            <dd>
              {policyWords(camera.emotion_policy)}. {camera.emotion_purpose}
              <small>{setByWords(camera.emotion_set_by, camera.emotion_set_at_ns)}</small>
            </dd>
            <dt>Where</dt>
            <dd>
              {contextWords(camera.context)}
              {camera.emotion_exemption !== "none" && (
                <small>
                  allowed for a {camera.emotion_exemption} reason: {camera.emotion_exemption_note}
                </small>
              )}
            </dd>
          </>
        )}
        {camera.tiredness_policy !== "off" && (
          <>
            <dt>Tiredness</dt>
            <dd>
              {camera.tiredness_purpose}
              <small>{setByWords(camera.tiredness_set_by, camera.tiredness_set_at_ns)}</small>
            </dd>
          </>
        )}
      </dl>
    </li>
  );
}

function Changes({ changes }: { changes: Readings["changes"] }) {
  return (
    <details className="readings__changes">
      <summary>What was changed</summary>
      <ul>
        {changes.map(({ at, actor, action, subject }) => (
          <li key={`${at}${action}${subject}`}>
            <time dateTime={at}>
              {new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}
            </time>{" "}
            {actor === "cli" ? "The command line" : actor} {changeWords(action)}
            {subject && <span className="muted"> {subject}</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}

function StopDialog({ close }: { close: () => void }) {
  const [reason, setReason] = useState("");
  const stop = () =>
    attempt(async () => {
      await api.stopReadings(reason.trim());
      close();
      await readings.refresh();
      toast("Emotion and tiredness are no longer read anywhere.");
    });
  return (
    <ConfirmDialog
      title="Stop all reading?"
      action="Stop all reading"
      keep="Cancel"
      onConfirm={stop}
      onClose={close}
    >
      <p>
        No camera reads emotion or tiredness any more, and today’s totals are deleted. Names and the history
        go on. Each camera keeps its own setting for when you let reading go on.
      </p>
      <Field label="Why, optional">
        <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
      </Field>
    </ConfirmDialog>
  );
}
