/** A browser as a camera: pictures go up while there is credit, who is in them comes down. */
import { Store } from "../app/store";
import { backoffMs } from "../live/backoff";
import type { LiveFrame } from "../live/protocol";
import type { Grabber } from "./camera";
import { CreditLine } from "./credits";
import { FINAL_CODES, type GatewayMessage, type Opened, type WebcamMessage } from "./protocol";

export type WebcamState =
  | { kind: "connecting" }
  | { kind: "open"; camera: Opened }
  | { kind: "lost" }
  /** Over, for a reason in words. */
  | { kind: "over"; reason: string; code: number };

export interface WebcamEvents {
  faces(frame: LiveFrame, latencyMs: number | null): void;
  /** A picture went no further, and why. */
  dropped(reason: string): void;
}

const NOT_READY_MS = 100;
const LOWER_QUALITY = [0.8, 0.65, 0.5];

export class WebcamConnection {
  readonly state = new Store<WebcamState>({ kind: "connecting" });
  private readonly credits = new CreditLine();
  private socket: WebSocket | null = null;
  private timer = 0;
  private attempt = 0;
  private grabbing = false;
  private qualityStep = 0;
  private stopped = false;

  constructor(
    private readonly grabber: Grabber,
    private readonly withEmotion: boolean,
    private readonly events: WebcamEvents,
  ) {}

  start(): void {
    const socket = new WebSocket(
      `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/webcam`,
    );
    this.socket = socket;
    socket.onopen = () => this.say({ type: "open", with_emotion: this.withEmotion });
    socket.onmessage = (event: MessageEvent<string>) => this.hear(JSON.parse(event.data) as GatewayMessage);
    socket.onclose = (event) => this.onClose(event);
  }

  /** The person has had enough: the camera goes, too. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    clearTimeout(this.timer);
    this.say({ type: "stop" });
    this.socket?.close();
  }

  private hear(message: GatewayMessage): void {
    if (message.type === "opened") {
      this.attempt = 0;
      this.credits.open(message.credits, message.fps);
      this.state.set({ kind: "open", camera: message });
      this.pumpSoon(0);
    } else if (message.type === "credit") {
      this.credits.giveBack(message.number, message.frame_id);
      if (message.dropped) this.events.dropped(message.dropped);
      this.pumpSoon(0);
    } else {
      const { frame } = message;
      this.events.faces(frame, this.credits.latencyMs(frame.frame_id, performance.now()));
    }
  }

  private pumpSoon(afterMs: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.pump(), afterMs);
  }

  /** Take and send the picture of this moment, if there is credit and it is due: an older one never waits. */
  private async pump(): Promise<void> {
    const state = this.state.get();
    if (this.stopped || this.grabbing || state.kind !== "open") return;
    const waitMs = this.credits.waitMs(performance.now());
    if (waitMs === null) return;
    if (waitMs > 0) return this.pumpSoon(waitMs);
    this.grabbing = true;
    try {
      const picture = await this.grabber.grab(LOWER_QUALITY[this.qualityStep]);
      if (!picture || this.socket?.readyState !== WebSocket.OPEN) return this.pumpSoon(NOT_READY_MS);
      if (picture.jpeg.size > state.camera.max_frame_bytes) {
        this.qualityStep = Math.min(this.qualityStep + 1, LOWER_QUALITY.length - 1);
        this.events.dropped("the picture has too much detail to be sent; it is compressed more");
        return this.pumpSoon(NOT_READY_MS);
      }
      this.socket.send(picture.jpeg);
      this.credits.spend(performance.now(), picture.atMs);
      this.pumpSoon(0);
    } finally {
      this.grabbing = false;
    }
  }

  private onClose({ code, reason }: CloseEvent): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    if (FINAL_CODES.has(code)) {
      this.state.set({ kind: "over", reason, code });
      return;
    }
    this.state.set({ kind: "lost" });
    this.timer = window.setTimeout(() => this.start(), backoffMs(this.attempt++));
  }

  private say(message: WebcamMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
