import { useResource } from "../api/resource";
import type { SystemInfo } from "../api/types";
import { connection, system } from "../live/live";
import { ReadingsPanel } from "../looks/ReadingsPanel";
import { Notice, PageHead, Pill, useNow } from "../ui/parts";
import { durationWords, serviceWords, type Tone } from "../words";

const TONES: Record<SystemInfo["services"][number]["state"], Tone> = {
  ready: "good",
  starting: "busy",
  degraded: "warn",
  stopping: "off",
};

export function SystemPage() {
  const { data, error } = useResource(system, 5_000);
  const now = useNow(5_000);
  return (
    <>
      <PageHead title="System" />
      {error && <Notice tone="bad">{error.message}</Notice>}
      {data && (
        <>
          <dl className="figures">
            <Figure
              label="Cameras live"
              value={`${data.counts.streaming ?? "?"} of ${data.counts.cameras ?? "?"}`}
            />
            <Figure label="People" value={String(data.counts.people)} />
            <Figure label="Watching now" value={String(data.counts.viewers)} />
            <Figure label="Gateway up for" value={durationWords(now - Date.parse(data.gateway_started_at))} />
            <Figure label="Version" value={data.version} />
          </dl>
          <section className="panel">
            <h2>Services</h2>
            <Services data={data} now={now} />
          </section>
          <ReadingsPanel />
          <section className="panel">
            <h2>This browser</h2>
            <Browser />
            <p className="hint">
              {data.partitions} partitions. The interface for programs is described at{" "}
              <a href="/api/docs">/api/docs</a>.
            </p>
          </section>
        </>
      )}
    </>
  );
}

function Services({ data, now }: { data: SystemInfo; now: number }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Service</th>
          <th scope="col">State</th>
          <th scope="col">Running for</th>
        </tr>
      </thead>
      <tbody>
        {data.missing.map((service) => (
          <tr key={service}>
            <th scope="row">{serviceWords(service)}</th>
            <td>
              <Pill tone="bad">Down</Pill>
            </td>
            <td className="muted">No process reports in.</td>
          </tr>
        ))}
        {data.services.map((entry) => (
          <tr key={entry.instance}>
            <th scope="row">
              {serviceWords(entry.service)} <small>{entry.instance}</small>
            </th>
            <td>
              <Pill tone={TONES[entry.state]}>
                {entry.state.replace(/^./, (first) => first.toUpperCase())}
              </Pill>
              {entry.problems.map((problem) => (
                <p key={problem} className="table__problem">
                  {problem}
                </p>
              ))}
            </td>
            <td>{durationWords(now - Date.parse(entry.started_at))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Browser() {
  useNow(2_000);
  const { offsetMs, roundTripMs } = connection.clock;
  if (offsetMs === null || roundTripMs === null) return <p className="muted">Measuring the way to Mien…</p>;
  return (
    <p className="muted">
      A message to Mien and back takes {Math.max(1, Math.round(roundTripMs))} ms; its clock is{" "}
      {Math.abs(Math.round(offsetMs))} ms {offsetMs < 0 ? "behind" : "ahead of"} this one. Latencies on the
      live page take this into account.
    </p>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
