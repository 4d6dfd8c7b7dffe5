import { useEffect, useMemo, useState } from "react";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { Camera, CameraLooks } from "../api/types";
import { useStore } from "../app/store";
import { readings } from "../live/live";
import { Notice } from "../ui/parts";
import { sharesWords, slotsOf, totalsOf, type Slot } from "./looksWords";
import { LooksLegend, StackedBars } from "./StackedBars";

const EVERY_MS = 20_000;
const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const SPANS = { hour: "Last hour", day: "Last day" } as const;

/** How those whom a camera saw looked: totals, never of somebody alone where only totals are allowed. */
export function CameraLooksPanel({ camera }: { camera: Camera }) {
  const [span, setSpan] = useState<CameraLooks["span"]>("hour");
  const stopped = useStore(readings.store).data?.stopped;
  const { camera_id: cameraId, emotion_policy: policy, revision } = camera;
  const resource = useMemo(() => new Resource(() => api.cameraLooks(cameraId, span)), [cameraId, span]);
  const { data: looks, error } = useResource(resource, EVERY_MS);
  useEffect(() => void resource.refresh(), [resource, revision, stopped]);
  return (
    <section className="panel" data-testid="camera-looks">
      <header className="panel__head">
        <h2>How people looked</h2>
        {policy !== "off" && <SpanSwitch span={span} setSpan={setSpan} />}
      </header>
      {error && !looks && <Notice tone="bad">{error.message}</Notice>}
      {policy === "off" ? (
        <p className="muted">
          Emotions are off for this camera, so nothing is counted. “Edit” turns them on; Mien then asks what
          for.
        </p>
      ) : stopped ? (
        <p className="muted">All reading is stopped, and what was counted has been deleted.</p>
      ) : (
        looks && (
          <Counts
            looks={looks}
            csvHref={`/api/cameras/${encodeURIComponent(cameraId)}/emotions.csv?span=${span}`}
          />
        )
      )}
    </section>
  );
}

function SpanSwitch({
  span,
  setSpan,
}: {
  span: CameraLooks["span"];
  setSpan: (span: CameraLooks["span"]) => void;
}) {
  return (
    <fieldset className="segments segments--small">
      <legend className="hidden">Time</legend>
      {(Object.keys(SPANS) as CameraLooks["span"][]).map((value) => (
        <label key={value}>
          <input type="radio" name="span" checked={span === value} onChange={() => setSpan(value)} />
          <span>{SPANS[value]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Counts({ looks, csvHref }: { looks: CameraLooks; csvHref: string }) {
  const slots = slotsOf(looks);
  const totals = totalsOf(slots);
  const withheld = slots.filter(({ people }) => people === null).length;
  if (looks.buckets.length === 0) {
    return (
      <p className="muted">
        {looks.policy === "aggregate"
          ? "Nobody has passed yet. A minute is told of once it is over."
          : "Nobody has passed yet."}
      </p>
    );
  }
  const most = Math.max(...slots.map(({ people }) => people ?? 0), 1);
  const first = new Date(slots[0]!.startsAt);
  return (
    <>
      <StackedBars
        bars={slots.map((slot) => ({
          key: slot.startsAt,
          title: slotWords(slot, looks),
          height: (slot.people ?? 0) / most,
          parts: slot.counts,
          withheld: slot.people === null,
        }))}
        label={totals.length > 0 ? sharesWords(totals) : "Too few people to tell"}
        ends={[
          first.toLocaleTimeString(undefined, TIME),
          looks.policy === "aggregate" ? "last full stretch" : "now",
        ]}
      />
      {totals.length > 0 && <LooksLegend shares={totals} />}
      {withheld > 0 && (
        <p className="hint">Hatched: fewer than {looks.group_size} people, so how they looked is not told.</p>
      )}
      <p className="hint">
        Each person counts once per {looks.bucket_seconds === 60 ? "minute" : "quarter hour"}, as they last
        looked; an expression is not a feeling.{" "}
        <a href={csvHref} download>
          Export as CSV
        </a>
      </p>
    </>
  );
}

function slotWords({ startsAt, people, counts }: Slot, looks: CameraLooks): string {
  const at = new Date(startsAt).toLocaleTimeString(undefined, TIME);
  if (people === null) return `${at}: fewer than ${looks.group_size} people`;
  if (people === 0) return `${at}: nobody`;
  const shares = counts.map(([look, count]): [string, number] => [look, count / people]);
  return `${at}: ${people} ${people === 1 ? "person" : "people"}. ${sharesWords(shares)}`;
}
