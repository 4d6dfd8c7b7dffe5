/** The websocket to the gateway: reconnects by itself, asks for the cameras that are on screen, keeps the clock. */
import { Store } from "../app/store";
import { backoffMs } from "./backoff";
import { nowMs, ServerClock } from "./clock";
import { decodeLiveFrame, type BrowserMessage, type LiveFrame, type ServerMessage } from "./protocol";

export type ConnectionState = { kind: "connecting" } | { kind: "open" } | { kind: "lost"; sinceMs: number };

export interface LiveEvents {
  frame(frame: LiveFrame, jpeg: Uint8Array<ArrayBuffer>): void;
  message(message: Exclude<ServerMessage, { type: "pong" }>): void;
  /** Connected, for the first time or again: whatever was fetched before may be old. */
  opened(): void;
  /** The gateway refused the socket; the session may be over. */
  refused(): void;
}

const PINGS_AT_START_MS = [0, 150, 300, 500, 800];
const PING_EVERY_MS = 4_000;
const SILENCE_MS = 12_000;
const WATCH_DELAY_MS = 60;

export class LiveConnection {
  readonly state = new Store<ConnectionState>({ kind: "connecting" });
  clock = new ServerClock();

  private socket: WebSocket | null = null;
  private readonly watchers = new Map<string, number>();
  private sentWatch = "";
  private attempt = 0;
  private heardAtMs = 0;
  private stopped = true;
  private reconnectTimer = 0;
  private watchTimer = 0;
  private pingTimers: number[] = [];

  constructor(
    private readonly events: LiveEvents,
    private readonly url: string,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("online", this.reconnectNow);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("online", this.reconnectNow);
    clearTimeout(this.reconnectTimer);
    this.release();
    this.state.set({ kind: "connecting" });
  }

  /** Ask for a camera's frames until the returned function is called. */
  watch(cameraId: string): () => void {
    this.watchers.set(cameraId, (this.watchers.get(cameraId) ?? 0) + 1);
    this.sendWatchSoon();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.watchers.get(cameraId) ?? 1) - 1;
      if (left > 0) this.watchers.set(cameraId, left);
      else this.watchers.delete(cameraId);
      this.sendWatchSoon();
    };
  }

  reconnectNow = (): void => {
    if (this.stopped || this.socket) return;
    clearTimeout(this.reconnectTimer);
    this.connect();
  };

  private connect(): void {
    const socket = new WebSocket(this.url);
    let opened = false;
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.heardAtMs = nowMs();
    this.pingTimers.push(window.setInterval(() => this.checkSilence(), PING_EVERY_MS));
    socket.onopen = () => {
      opened = true;
      this.onOpen();
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.onMessage(event.data);
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.onClose();
      if (!opened || event.code === 4401 || event.code === 4403) this.events.refused();
    };
  }

  private onOpen(): void {
    this.clock = new ServerClock();
    this.sentWatch = "";
    this.state.set({ kind: "open" });
    this.sendWatch();
    for (const delay of PINGS_AT_START_MS) this.pingTimers.push(window.setTimeout(this.ping, delay));
    this.pingTimers.push(window.setInterval(this.ping, PING_EVERY_MS));
    this.events.opened();
  }

  private onClose(): void {
    this.release();
    if (this.stopped) return;
    const before = this.state.get();
    this.state.set(before.kind === "lost" ? before : { kind: "lost", sinceMs: nowMs() });
    clearTimeout(this.reconnectTimer);
    this.reconnectTimer = window.setTimeout(this.reconnectNow, backoffMs(this.attempt++));
  }

  private onMessage(data: ArrayBuffer | string): void {
    this.heardAtMs = nowMs();
    this.attempt = 0;
    if (data instanceof ArrayBuffer) {
      const { frame, jpeg } = decodeLiveFrame(data);
      this.events.frame(frame, jpeg);
      return;
    }
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "pong") this.clock.add(message.sent_at_ms, message.server_at_ms, this.heardAtMs);
    else this.events.message(message);
  }

  /** A socket whose other end vanished without a goodbye stays open for minutes: close it ourselves. */
  private checkSilence(): void {
    if (nowMs() - this.heardAtMs < SILENCE_MS || !this.socket) return;
    this.socket.onclose = null;
    this.socket.close();
    this.onClose();
  }

  private release(): void {
    for (const timer of this.pingTimers) clearTimeout(timer);
    this.pingTimers = [];
    clearTimeout(this.watchTimer);
    this.watchTimer = 0;
    const socket = this.socket;
    this.socket = null;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close();
  }

  private onVisibility = (): void => {
    this.sendWatchSoon();
    if (!document.hidden) this.reconnectNow();
  };

  /** Scrolling past tiles must not send a message each. */
  private sendWatchSoon(): void {
    if (this.watchTimer) return;
    this.watchTimer = window.setTimeout(() => this.sendWatch(), WATCH_DELAY_MS);
  }

  private sendWatch(): void {
    clearTimeout(this.watchTimer);
    this.watchTimer = 0;
    const cameras = document.hidden ? [] : [...this.watchers.keys()].sort();
    const key = cameras.join();
    if (key === this.sentWatch) return;
    if (this.send({ type: "watch", cameras })) this.sentWatch = key;
  }

  private ping = (): void => {
    this.send({ type: "ping", sent_at_ms: nowMs() });
  };

  private send(message: BrowserMessage): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}
