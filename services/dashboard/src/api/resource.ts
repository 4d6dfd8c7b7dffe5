/** Something the gateway has that several places show: fetched once, kept, refreshed while anybody looks. */
import { useEffect } from "react";
import { Store, useStore } from "../app/store";
import { ApiError } from "./errors";

export interface Loaded<T> {
  /** The last answer, kept while a later request fails. */
  data: T | undefined;
  error: ApiError | undefined;
}

export class Resource<T> {
  readonly store = new Store<Loaded<T>>({ data: undefined, error: undefined });
  private running: Promise<void> | null = null;
  private again = false;

  constructor(private readonly fetch: () => Promise<T>) {}

  /** Fetch; a call while one is under way makes one more follow, so that no change is missed. */
  refresh = (): Promise<void> => {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.load().finally(() => {
      this.running = null;
    });
    return this.running;
  };

  clear(): void {
    this.store.set({ data: undefined, error: undefined });
  }

  private async load(): Promise<void> {
    do {
      this.again = false;
      try {
        this.store.set({ data: await this.fetch(), error: undefined });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.store.set({ data: this.store.get().data, error });
      }
    } while (this.again);
  }
}

/** Read a resource, refreshed when the component appears and every *everyMs* while the tab is visible. */
export function useResource<T>(resource: Resource<T>, everyMs?: number): Loaded<T> {
  useEffect(() => {
    void resource.refresh();
    if (!everyMs) return;
    const timer = setInterval(() => {
      if (!document.hidden) void resource.refresh();
    }, everyMs);
    return () => clearInterval(timer);
  }, [resource, everyMs]);
  return useStore(resource.store);
}
