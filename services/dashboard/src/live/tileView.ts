/** A tile's moving parts: draws frames on its canvas and tells its figures, all outside React. */
import { durationWords } from "../words";
import { nowMs } from "./clock";
import { connection, feed } from "./live";
import { offerFaces } from "./faceCuts";
import { TileMeter, type Stages } from "./meter";
import { FaceOverlay } from "./overlay";
import type { LiveFrame } from "./protocol";
import { reportDrawn } from "./testHooks";

export interface TileParts {
  /** Carries the data attributes that tests read, and the class of a picture that stands still. */
  tile: HTMLElement;
  stage: HTMLElement;
  canvas: HTMLCanvasElement;
  overlay: HTMLElement;
  latency: HTMLElement;
  fps: HTMLElement;
  age: HTMLElement;
}

export interface TileFigures {
  latencyMs: number | null;
  fps: number;
  stages: Stages | null;
}

const TELL_EVERY_MS = 500;
const OLD_AFTER_MS = 4_000;

export class TileView {
  private readonly context: CanvasRenderingContext2D;
  private readonly faces: FaceOverlay;
  private readonly meter = new TileMeter();
  private readonly stops: (() => void)[] = [];
  private stopWatching: (() => void) | null = null;

  constructor(
    private readonly cameraId: string,
    private readonly parts: TileParts,
    private readonly onFigures?: (figures: TileFigures) => void,
  ) {
    const context = parts.canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("this browser draws no canvas");
    this.context = context;
    this.faces = new FaceOverlay(parts.overlay);
    this.stops.push(feed.attach(cameraId, this.draw), this.watchWhileOnScreen());
    const timer = setInterval(this.tell, TELL_EVERY_MS);
    this.stops.push(() => clearInterval(timer));
  }

  stop(): void {
    for (const stop of this.stops) stop();
    this.faces.clear();
  }

  private watchWhileOnScreen(): () => void {
    const setWatched = (watched: boolean) => {
      if (watched) this.stopWatching ??= connection.watch(this.cameraId);
      else {
        this.stopWatching?.();
        this.stopWatching = null;
      }
    };
    const observer = new IntersectionObserver(
      (entries) => setWatched(entries.at(-1)?.isIntersecting ?? false),
      {
        rootMargin: "120px",
      },
    );
    observer.observe(this.parts.tile);
    return () => {
      observer.disconnect();
      setWatched(false);
    };
  }

  private draw = (frame: LiveFrame, bitmap: ImageBitmap, drawnAtMs: number): void => {
    const { canvas, stage, tile } = this.parts;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      stage.style.setProperty("--picture-ratio", String(bitmap.width / bitmap.height));
    }
    this.context.drawImage(bitmap, 0, 0);
    this.faces.show(frame);
    offerFaces(frame, canvas);
    if (this.meter.lastDrawnAtMs === null) tile.dataset["drawn"] = "yes";
    this.meter.add(frame, drawnAtMs, connection.clock.offsetMs);
    reportDrawn(frame, canvas, drawnAtMs);
  };

  private tell = (): void => {
    const { tile, latency, fps, age } = this.parts;
    const atMs = nowMs();
    const drawnPerSecond = this.meter.fps(atMs);
    const agoMs = this.meter.lastDrawnAtMs === null ? null : atMs - this.meter.lastDrawnAtMs;
    const old = agoMs !== null && agoMs > OLD_AFTER_MS;
    const latencyMs = old || this.meter.latencyMs === null ? null : Math.round(this.meter.latencyMs);
    setText(latency, latencyMs === null ? "" : `${latencyMs} ms`);
    setText(fps, old || drawnPerSecond === 0 ? "" : `${drawnPerSecond.toFixed(1)} fps`);
    setText(age, old ? `Last picture ${durationWords(agoMs)} ago` : "");
    tile.dataset["latencyMs"] = latencyMs === null ? "" : String(latencyMs);
    tile.classList.toggle("tile--old", old);
    if (old) this.faces.clear();
    this.onFigures?.({ latencyMs, fps: drawnPerSecond, stages: old ? null : this.meter.stages });
  };
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
