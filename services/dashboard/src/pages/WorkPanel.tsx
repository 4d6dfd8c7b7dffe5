import { useMemo } from "react";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { CameraWork } from "../api/types";
import { Notice, useNow } from "../ui/parts";
import { durationWords } from "../words";
import { countWords, savedWords, shareWords, skippedWords, workSteps } from "./cameraFitness";

const EVERY_MS = 5_000;
// Below this, pictures that were given up are the way a busy moment looks.
const GIVEN_UP_TOLD = 0.02;

/** What was done with a camera's pictures within the last hour, and what was not. */
export function WorkPanel({ cameraId }: { cameraId: string }) {
  const resource = useMemo(() => new Resource(() => api.work(cameraId)), [cameraId]);
  const { data: work, error } = useResource(resource, EVERY_MS);
  const now = useNow(10_000);
  return (
    <section className="panel">
      <header className="panel__head">
        <h2>Work saved</h2>
        {work && work.captured > 0 && (
          <span className="count">last {durationWords(now - work.since_ns / 1e6)}</span>
        )}
      </header>
      {error && !work && <Notice tone="bad">{error.message}</Notice>}
      {work?.captured === 0 && <p className="muted">No picture has come within the last hour.</p>}
      {work && work.captured > 0 && <Steps work={work} />}
    </section>
  );
}

function Steps({ work }: { work: CameraWork }) {
  const skipped = skippedWords(work);
  return (
    <>
      <p>{savedWords(work)}</p>
      <dl className="funnel">
        {workSteps(work).map(({ name, count, share }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{countWords(count)}</dd>
            <span aria-hidden="true" style={{ width: `${Math.max(100 * share, count > 0 ? 0.5 : 0)}%` }} />
          </div>
        ))}
      </dl>
      {work.given_up > GIVEN_UP_TOLD * work.sampled && (
        <Notice tone="warn">
          {countWords(work.given_up)} sampled pictures ({shareWords(work.given_up, work.sampled)}) were given
          up, because newer ones came before their turn. Sample fewer pictures per second, or run more
          detectors.
        </Notice>
      )}
      {skipped.length > 0 && (
        <div className="skipped">
          <h3>Faces not sent on</h3>
          <ul>
            {skipped.map(({ reason, count }) => (
              <li key={reason}>
                <span>{reason}</span> <span className="count">{countWords(count)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
