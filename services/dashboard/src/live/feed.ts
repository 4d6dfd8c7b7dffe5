/** Frames on their way to the screen: one waiting and one being decoded per camera, the newest wins. */
import { nowMs } from "./clock";
import type { LiveFrame } from "./protocol";

export type Sink = (frame: LiveFrame, bitmap: ImageBitmap, drawnAtMs: number) => void;

interface Lane {
  waiting: { frame: LiveFrame; jpeg: Uint8Array<ArrayBuffer> } | null;
  decoding: boolean;
  ready: { frame: LiveFrame; bitmap: ImageBitmap } | null;
}

export class FrameFeed {
  private readonly lanes = new Map<string, Lane>();
  private readonly sinks = new Map<string, Set<Sink>>();
  private scheduled = false;

  /** Draw a camera's frames with *sink*, inside an animation frame, until the returned function is called. */
  attach(cameraId: string, sink: Sink): () => void {
    const sinks = this.sinks.get(cameraId) ?? new Set();
    sinks.add(sink);
    this.sinks.set(cameraId, sinks);
    return () => sinks.delete(sink);
  }

  push(frame: LiveFrame, jpeg: Uint8Array<ArrayBuffer>): void {
    if (!this.sinks.get(frame.camera_id)?.size) return;
    const lane = this.lanes.get(frame.camera_id) ?? { waiting: null, decoding: false, ready: null };
    this.lanes.set(frame.camera_id, lane);
    lane.waiting = { frame, jpeg };
    if (!lane.decoding) void this.decode(lane);
  }

  private async decode(lane: Lane): Promise<void> {
    lane.decoding = true;
    while (lane.waiting) {
      const { frame, jpeg } = lane.waiting;
      lane.waiting = null;
      try {
        const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
        lane.ready?.bitmap.close();
        lane.ready = { frame, bitmap };
        this.schedule();
      } catch (error) {
        console.warn(`a picture of ${frame.camera_id} could not be decoded`, error);
      }
    }
    lane.decoding = false;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      for (const lane of this.lanes.values()) this.draw(lane);
    });
  }

  private draw(lane: Lane): void {
    if (!lane.ready) return;
    const { frame, bitmap } = lane.ready;
    lane.ready = null;
    for (const sink of this.sinks.get(frame.camera_id) ?? []) sink(frame, bitmap, nowMs());
    bitmap.close();
  }
}
