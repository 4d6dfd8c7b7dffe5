/** `window.__mien`: what tests and the latency bench read. */
import type { LiveFrame } from "./protocol";

export interface DrawnFrame {
  frameId: string;
  capturedAtNs: number;
  drawnAtMs: number;
}

interface MienHooks {
  lastDrawn: Record<string, DrawnFrame>;
  /** Called right after a frame has been drawn; the canvas holds the bare picture, one pixel per pixel. */
  onDrawn?: (cameraId: string, canvas: HTMLCanvasElement, frame: LiveFrame) => void;
}

declare global {
  interface Window {
    __mien: MienHooks;
  }
}

window.__mien = { lastDrawn: {} };

export function reportDrawn(frame: LiveFrame, canvas: HTMLCanvasElement, drawnAtMs: number): void {
  window.__mien.lastDrawn[frame.camera_id] = {
    frameId: frame.frame_id,
    capturedAtNs: frame.captured_at_ns,
    drawnAtMs,
  };
  window.__mien.onDrawn?.(frame.camera_id, canvas, frame);
}
