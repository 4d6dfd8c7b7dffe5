/** How late a tile's pictures are and how many it draws; one per tile, read a few times a second. */
import type { LiveFrame } from "./protocol";

const WINDOW_MS = 4_000;
const SMOOTHING = 0.2;

export interface Stages {
  /** Capture to detected: network and queue before the detector, and its work. */
  detectMs: number;
  /** Detected to sent: merge and gateway. */
  gatewayMs: number;
  /** Sent to drawn: network and browser. */
  screenMs: number;
}

export class TileMeter {
  latencyMs: number | null = null;
  stages: Stages | null = null;
  lastDrawnAtMs: number | null = null;
  private drawn: number[] = [];

  /** Count a drawn frame; *clockOffsetMs* is null while the gateway's clock is not known yet. */
  add(frame: LiveFrame, drawnAtMs: number, clockOffsetMs: number | null): void {
    this.lastDrawnAtMs = drawnAtMs;
    this.drawn.push(drawnAtMs);
    if (clockOffsetMs === null) return;
    const onServerMs = drawnAtMs + clockOffsetMs;
    const stages = {
      detectMs: (frame.detected_at_ns - frame.captured_at_ns) / 1e6,
      gatewayMs: (frame.sent_at_ns - frame.detected_at_ns) / 1e6,
      screenMs: onServerMs - frame.sent_at_ns / 1e6,
    };
    this.stages = this.stages ? blend(this.stages, stages) : stages;
    this.latencyMs = this.stages.detectMs + this.stages.gatewayMs + this.stages.screenMs;
  }

  fps(atMs: number): number {
    this.drawn = this.drawn.filter((drawnAtMs) => atMs - drawnAtMs < WINDOW_MS);
    const first = this.drawn[0];
    const last = this.drawn.at(-1);
    if (first === undefined || last === undefined || this.drawn.length < 2) return 0;
    return ((this.drawn.length - 1) * 1000) / (last - first);
  }
}

function blend(old: Stages, fresh: Stages): Stages {
  const mix = (a: number, b: number) => a + SMOOTHING * (b - a);
  return {
    detectMs: mix(old.detectMs, fresh.detectMs),
    gatewayMs: mix(old.gatewayMs, fresh.gatewayMs),
    screenMs: mix(old.screenMs, fresh.screenMs),
  };
}
