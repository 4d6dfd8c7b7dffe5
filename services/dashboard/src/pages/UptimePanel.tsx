import { useEffect, useMemo, useState } from "react";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { Camera, CameraHistory } from "../api/types";
import { useCameraStatus } from "../live/live";
import { Notice, useNow } from "../ui/parts";
import { stateName } from "../cameraWords";
import { agoWords, durationWords, sentence } from "../words";
import { shownSince, stretches, troublesOf, uptimeWords, whenWords } from "./cameraHistory";

const EVERY_MS = 15_000;
const SPANS = [
  { hours: 24, name: "Day" },
  { hours: 24 * 7, name: "Week" },
  { hours: 24 * 30, name: "Month" },
];
const SHOWN_AT_FIRST = 6;

/** When a camera delivered pictures, and why it didn't when it didn't. */
export function UptimePanel({ camera }: { camera: Camera }) {
  const cameraId = camera.camera_id;
  const [hours, setHours] = useState(24);
  const resource = useMemo(() => new Resource(() => api.cameraHistory(cameraId, hours)), [cameraId, hours]);
  const { data: history, error } = useResource(resource, EVERY_MS);
  const { state } = useCameraStatus(camera);
  useEffect(() => void resource.refresh(), [resource, state]);
  return (
    <section className="panel" data-testid="uptime">
      <header className="panel__head">
        <h2>Up and away</h2>
        <div className="segments segments--small" role="radiogroup" aria-label="Time shown">
          {SPANS.map((span) => (
            <label key={span.hours}>
              <input
                type="radio"
                name="uptime-span"
                checked={hours === span.hours}
                onChange={() => setHours(span.hours)}
              />
              <span>{span.name}</span>
            </label>
          ))}
        </div>
      </header>
      {error && !history && <Notice tone="bad">{error.message}</Notice>}
      {history?.periods.length === 0 && <p className="muted">Nothing has been heard of this camera yet.</p>}
      {history && history.periods.length > 0 && <Uptime history={history} />}
    </section>
  );
}

function Uptime({ history }: { history: CameraHistory }) {
  const now = useNow(EVERY_MS);
  const [all, setAll] = useState(false);
  const troubles = troublesOf(history);
  const shown = all ? troubles : troubles.slice(0, SHOWN_AT_FIRST);
  const losses = history.losses === 1 ? "lost once" : `lost ${history.losses} times`;
  return (
    <>
      <p>
        <strong className="uptime">{uptimeWords(history.uptime)}</strong>{" "}
        <span className="muted">
          {history.uptime === null ? "closed all the time" : "of the time up"}
          {history.losses > 0 && `, ${losses}`}
        </span>
      </p>
      <div className="uptime-bar" aria-hidden="true">
        {stretches(history, now).map(({ tone, from, to }) => (
          <span
            key={from}
            className={`uptime-bar__part uptime-bar__part--${tone}`}
            style={{ left: `min(${100 * from}%, 100% - 2px)`, width: `max(${100 * (to - from)}%, 2px)` }}
          />
        ))}
      </div>
      <p className="uptime-bar__ends" aria-hidden="true">
        <span>{agoWords(shownSince(history), now)}</span>
        <span>now</span>
      </p>
      {troubles.length === 0 && <p className="muted">Nothing was amiss.</p>}
      <ul className="troubles">
        {shown.map((period) => (
          <li key={period.started_at}>
            <span className={`dot dot--${stateName(period.state).tone}`} />
            <span>
              <strong>{stateName(period.state).short}</strong> {whenWords(period, now)}
              <small>
                {durationWords(
                  (period.ended_at ? Date.parse(period.ended_at) : now) - Date.parse(period.started_at),
                )}
              </small>
              {period.reason && <span className="muted">{sentence(period.reason)}</span>}
            </span>
          </li>
        ))}
      </ul>
      {troubles.length > SHOWN_AT_FIRST && (
        <button type="button" className="link" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${troubles.length}`}
        </button>
      )}
    </>
  );
}
