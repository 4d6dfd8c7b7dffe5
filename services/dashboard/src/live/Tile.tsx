import { memo, useEffect, useRef, useState, type ReactNode } from "react";
import type { Camera, CameraStatus } from "../api/types";
import { useStore } from "../app/store";
import { ReadingBadges } from "../looks/ReadingBadges";
import { Icon, IconButton } from "../ui/Icon";
import { zonesShown, ZoneShapes } from "../zones/ZoneShapes";
import { retryWords, stateWords } from "../cameraWords";
import { nowMs } from "./clock";
import { useCameraStatus } from "./live";
import { TileView, type TileFigures, type TileParts } from "./tileView";

interface TileProps {
  camera: Camera;
  /** Absent where the tile is already large. */
  onEnlarge?: (cameraId: string) => void;
  onFigures?: (figures: TileFigures) => void;
  /** Over the picture and its faces; in the place of the camera's zones. */
  overlay?: ReactNode;
}

/** One camera, live. React draws its frame; {@link TileView} draws what moves. */
export const Tile = memo(function Tile({ camera, onEnlarge, onFigures, overlay }: TileProps) {
  const showsZones = useStore(zonesShown);
  const status = useCameraStatus(camera);
  const words = stateWords(camera, status);
  const parts = useTileView(camera.camera_id, onFigures);
  const enlarge = onEnlarge && (() => onEnlarge(camera.camera_id));
  return (
    <article
      ref={parts.tile}
      className={`tile ${words.delivers ? "" : "tile--quiet"}`}
      data-testid="tile"
      data-camera-id={camera.camera_id}
      data-names={camera.identity_policy}
      data-state={camera.enabled ? status.state : "stopped"}
      aria-label={`${camera.name}: ${words.short}`}
    >
      <div className={`tile__picture ${enlarge ? "tile__picture--button" : ""}`} onClick={enlarge}>
        <div ref={parts.stage} className="tile__stage">
          <canvas ref={parts.canvas} width={640} height={360} aria-hidden="true" />
          <div ref={parts.overlay} className="tile__faces" />
          {overlay ?? (showsZones && <ZoneShapes zones={camera.ignored_zones} />)}
        </div>
        {!words.delivers && <TileMessage camera={camera} status={status} />}
        <p ref={parts.age} className="tile__age" />
      </div>
      <footer className="tile__foot">
        <span className={`dot dot--${words.tone}`} title={words.short} />
        <h3 className="tile__name">{camera.name}</h3>
        {words.tone !== "good" && <span className="tile__state">{words.short}</span>}
        {camera.demo && <span className="badge">Demo</span>}
        <ReadingBadges camera={camera} />
        <span className="tile__figures">
          <span ref={parts.fps} />
          <span
            ref={parts.latency}
            className="tile__latency"
            title="From the camera's picture to your screen"
          />
        </span>
        {!overlay && camera.ignored_zones.length > 0 && (
          <button
            type="button"
            className="icon-button"
            aria-pressed={showsZones}
            onClick={() => zonesShown.set(!showsZones)}
            aria-label={showsZones ? "Hide zones" : "Show zones"}
            title={showsZones ? "Hide the zones to ignore" : "Show the zones to ignore"}
          >
            <Icon name="zone" />
          </button>
        )}
        {enlarge && <IconButton icon="expand" words={`Enlarge ${camera.name}`} onClick={enlarge} />}
      </footer>
    </article>
  );
});

function useTileView(cameraId: string, onFigures?: (figures: TileFigures) => void) {
  const refs = {
    tile: useRef<HTMLElement>(null),
    stage: useRef<HTMLDivElement>(null),
    canvas: useRef<HTMLCanvasElement>(null),
    overlay: useRef<HTMLDivElement>(null),
    latency: useRef<HTMLSpanElement>(null),
    fps: useRef<HTMLSpanElement>(null),
    age: useRef<HTMLParagraphElement>(null),
  };
  useEffect(() => {
    const parts = Object.fromEntries(Object.entries(refs).map(([name, ref]) => [name, ref.current]));
    const view = new TileView(cameraId, parts as unknown as TileParts, onFigures);
    return () => view.stop();
    // The refs are of this component's own elements and never change.
  }, [cameraId, onFigures]);
  return refs;
}

function TileMessage({ camera, status }: { camera: Camera; status: CameraStatus }) {
  const words = stateWords(camera, status);
  const retry = useRetryWords(status);
  return (
    <div className="tile__message">
      {words.tone === "busy" ? <span className="spinner" /> : <Icon name={ICONS[words.tone]} />}
      <strong>
        {words.short}
        {retry && words.tone === "warn" && ` ${retry}`}
      </strong>
      <span>{words.long}</span>
      {retry && words.tone === "bad" && <span>Next attempt {retry}.</span>}
    </div>
  );
}

const ICONS = { good: "camera", warn: "plug", bad: "alert", off: "power" } as const;

function useRetryWords(status: CameraStatus): string {
  const [, setTick] = useState(0);
  const waiting = status.retry_at_ns !== null;
  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(() => setTick((tick) => tick + 1), 1000);
    return () => clearInterval(timer);
  }, [waiting]);
  return retryWords(status, nowMs());
}
