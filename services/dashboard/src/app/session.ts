/** Who is signed in. */
import { api } from "../api/client";
import { onRefused } from "../api/request";
import { ApiError } from "../api/errors";
import type { Session } from "../api/types";
import { Store } from "./store";

export type SessionState =
  | { kind: "loading" }
  | { kind: "unreachable" }
  | { kind: "signed_out"; expired: boolean }
  | { kind: "signed_in"; session: Session };

export const sessionState = new Store<SessionState>({ kind: "loading" });

function leave({ expired }: { expired: boolean }): void {
  sessionState.set({ kind: "signed_out", expired });
}

/** Ask the gateway whether we are signed in; one that does not answer changes nothing for who already is. */
export async function checkSession(): Promise<void> {
  const wasSignedIn = sessionState.get().kind === "signed_in";
  try {
    const session = await api.session();
    if (!wasSignedIn) sessionState.set({ kind: "signed_in", session });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) leave({ expired: wasSignedIn });
    else if (!wasSignedIn) sessionState.set({ kind: "unreachable" });
  }
}

onRefused(() => void checkSession());

export async function signIn(username: string, password: string): Promise<void> {
  sessionState.set({ kind: "signed_in", session: await api.signIn(username, password) });
}

export async function signOut(): Promise<void> {
  await api.signOut();
  leave({ expired: false });
}
