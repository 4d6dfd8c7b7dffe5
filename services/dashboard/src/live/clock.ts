/** How far the gateway's clock is ahead of the browser's, from pings: the quickest of the last few counts. */

interface Sample {
  roundTripMs: number;
  offsetMs: number;
}

const KEPT_SAMPLES = 12;

export class ServerClock {
  private samples: Sample[] = [];

  /** Add a ping's answer; the three times are milliseconds since 1970. */
  add(sentAtMs: number, serverAtMs: number, receivedAtMs: number): void {
    const roundTripMs = receivedAtMs - sentAtMs;
    if (roundTripMs < 0) return; // The browser's clock was set back meanwhile.
    const offsetMs = serverAtMs - (sentAtMs + receivedAtMs) / 2;
    this.samples = [...this.samples, { roundTripMs, offsetMs }].slice(-KEPT_SAMPLES);
  }

  /** Null until the first answer. */
  get offsetMs(): number | null {
    return this.best?.offsetMs ?? null;
  }

  get roundTripMs(): number | null {
    return this.best?.roundTripMs ?? null;
  }

  private get best(): Sample | undefined {
    return this.samples.reduce<Sample | undefined>(
      (best, sample) => (best && best.roundTripMs <= sample.roundTripMs ? best : sample),
      undefined,
    );
  }
}

/** Milliseconds since 1970. The wall clock on purpose: `performance.now()` may stand still while a laptop sleeps. */
export const nowMs = (): number => Date.now();
