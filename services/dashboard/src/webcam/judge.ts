/** Has pictures judged, one after the other, for as long as somebody listens; the newest picture is asked about. */
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import type { FaceCheck, Pose } from "../api/types";
import type { Grabbed, Grabber } from "./camera";

export interface Wanted {
  pose: Pose | null;
  straight: { yaw: number; pitch: number };
}

const NOT_READY_MS = 150;
const LEAST_MS = 250;
const AFTER_FAILURE_MS = 1_000;

export class Judge {
  private stopped = false;

  constructor(
    private readonly sessionId: string,
    private readonly grabber: Grabber,
    private readonly wanted: () => Wanted,
    private readonly heard: (check: FaceCheck, picture: Grabbed, pose: Pose | null) => void,
    private readonly failed: (error: ApiError) => void,
  ) {}

  async run(): Promise<void> {
    while (!this.stopped) {
      const beganAtMs = performance.now();
      const picture = document.hidden ? null : await this.grabber.grab(0.85);
      if (!picture) {
        await wait(NOT_READY_MS);
        continue;
      }
      const { pose, straight } = this.wanted();
      try {
        const check = await api.checkFace(this.sessionId, picture.jpeg, pose, straight);
        if (!this.stopped) this.heard(check, picture, pose);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!this.stopped && error.status !== 429) this.failed(error);
        await wait(AFTER_FAILURE_MS);
      }
      await wait(Math.max(0, LEAST_MS - (performance.now() - beganAtMs)));
    }
  }

  stop(): void {
    this.stopped = true;
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
