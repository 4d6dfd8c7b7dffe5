/** When the next picture may be sent: while there is credit, and no sooner than the pace allows. */
export class CreditLine {
  private left = 0;
  private sent = 0;
  private dueMs = 0;
  private readonly sentAtMs = new Map<number, number>();
  private readonly takenAtMs = new Map<string, number>();

  /** Begin a connection: so many credits, and so many pictures a second. */
  open(credits: number, fps: number): void {
    this.left = credits;
    this.sent = 0;
    this.dueMs = 0;
    this.everyMs = 1000 / fps;
    this.sentAtMs.clear();
    this.takenAtMs.clear();
  }

  private everyMs = 1000;

  /** How long to wait for the next picture; null without credit. */
  waitMs(nowMs: number): number | null {
    return this.left > 0 ? Math.max(0, this.dueMs - nowMs) : null;
  }

  /** A picture that shows what was there at *takenAtMs* is sent. */
  spend(nowMs: number, takenAtMs: number): void {
    this.left -= 1;
    this.sent += 1;
    this.dueMs = Math.max(this.dueMs, nowMs - this.everyMs) + this.everyMs;
    this.sentAtMs.set(this.sent, takenAtMs);
  }

  /** A credit comes back, with the name of the picture where it went on. */
  giveBack(number: number, frameId: string | null): void {
    this.left += 1;
    const takenAtMs = this.sentAtMs.get(number);
    this.sentAtMs.delete(number);
    if (frameId === null || takenAtMs === undefined) return;
    this.takenAtMs.set(frameId, takenAtMs);
    if (this.takenAtMs.size > 64) this.takenAtMs.delete(this.takenAtMs.keys().next().value!);
  }

  /** Milliseconds from what was seen to now, for a picture by its name; null where it is not known. */
  latencyMs(frameId: string, nowMs: number): number | null {
    const takenAtMs = this.takenAtMs.get(frameId);
    return takenAtMs === undefined ? null : nowMs - takenAtMs;
  }
}
