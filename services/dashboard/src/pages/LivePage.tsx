import { useCallback, useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useResource } from "../api/resource";
import type { Camera } from "../api/types";
import { cameras } from "../live/live";
import { Tile } from "../live/Tile";
import type { TileFigures } from "../live/tileView";
import { ReadingNotes } from "../looks/ReadingNotes";
import { WhoIsHere } from "../live/WhoIsHere";
import { RecentSightings } from "./RecentSightings";
import { Icon } from "../ui/Icon";
import { EmptyState, Notice } from "../ui/parts";

const CAMERAS_EVERY_MS = 10_000;

export function LivePage() {
  const { data, error } = useResource(cameras, CAMERAS_EVERY_MS);
  const [search, setSearch] = useSearchParams();
  const enlarge = useCallback((cameraId: string) => setSearch({ camera: cameraId }), [setSearch]);
  const chosen = data?.find((camera) => camera.camera_id === search.get("camera"));
  useEffect(() => {
    document.title = `${chosen?.name ?? "Live"} · Mien`;
  }, [chosen?.name]);

  if (!data) return error ? <Notice tone="bad">{error.message}</Notice> : null;
  if (data.length === 0) return <NoCameras />;
  if (chosen)
    return <Focus cameras={data} chosen={chosen} choose={(id) => setSearch(id ? { camera: id } : {})} />;
  return (
    <div className="live">
      <h1 className="hidden">Live</h1>
      <div className="live__grid" data-count={Math.min(data.length, 5)}>
        {data.map((camera) => (
          <Tile key={camera.camera_id} camera={camera} onEnlarge={enlarge} />
        ))}
      </div>
      <aside className="live__side">
        <WhoIsHere cameras={data} />
        <RecentSightings />
      </aside>
    </div>
  );
}

function NoCameras() {
  return (
    <EmptyState
      icon="camera"
      title="No cameras yet"
      action={
        <Link to="/cameras?add" className="button button--main">
          <Icon name="plus" /> Add a camera
        </Link>
      }
    >
      <p>
        Add a network camera (RTSP), a web camera's MJPEG address or a video file, and its picture appears
        here within seconds, with the faces in it.
      </p>
      <p>
        Only looking around? Stop Mien and start it with <code>mien demo</code>: it brings cameras of its own.
      </p>
    </EmptyState>
  );
}

interface FocusProps {
  cameras: Camera[];
  chosen: Camera;
  choose: (cameraId: string | null) => void;
}

/** One camera over the full width, with who it sees and where its latency comes from. */
function Focus({ cameras: all, chosen, choose }: FocusProps) {
  const [figures, setFigures] = useState<TileFigures | null>(null);
  const index = all.indexOf(chosen);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement) return;
      if (event.key === "Escape") choose(null);
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (step) choose(all[(index + step + all.length) % all.length]?.camera_id ?? null);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [all, index, choose]);
  return (
    <div className="live live--focus">
      <div>
        <header className="focus__head">
          <button type="button" className="button" onClick={() => choose(null)}>
            <Icon name="back" /> All cameras
          </button>
          <nav className="focus__others" aria-label="Cameras">
            {all.map((camera) => (
              <button
                key={camera.camera_id}
                type="button"
                className="chip"
                aria-pressed={camera === chosen}
                onClick={() => choose(camera.camera_id)}
              >
                {camera.name}
              </button>
            ))}
          </nav>
        </header>
        <Tile key={chosen.camera_id} camera={chosen} onFigures={setFigures} />
      </div>
      <aside className="live__side">
        <WhoIsHere cameras={all} cameraId={chosen.camera_id} />
        <Latency figures={figures} />
        <ReadingNotes camera={chosen} />
      </aside>
    </div>
  );
}

function Latency({ figures }: { figures: TileFigures | null }) {
  if (!figures?.stages || figures.latencyMs === null) return null;
  const { detectMs, gatewayMs, screenMs } = figures.stages;
  const stages = [
    { name: "Camera to faces found", ms: detectMs, key: "detect" },
    { name: "Names and gateway", ms: gatewayMs, key: "gateway" },
    { name: "To your screen", ms: screenMs, key: "screen" },
  ].map((stage) => ({ ...stage, ms: Math.max(0, Math.round(stage.ms)) }));
  return (
    <section className="latency">
      <h2>
        Delay <span className="count">{figures.latencyMs} ms</span>
      </h2>
      <div className="latency__bar" aria-hidden="true">
        {stages.map(({ key, ms }) => (
          <span key={key} className={`latency__${key}`} style={{ flexGrow: ms }} />
        ))}
      </div>
      <dl>
        {stages.map(({ key, name, ms }) => (
          <div key={key}>
            <dt>
              <span className={`latency__key latency__${key}`} /> {name}
            </dt>
            <dd>{ms} ms</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
