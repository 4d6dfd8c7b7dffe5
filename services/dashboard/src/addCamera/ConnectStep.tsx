import { useEffect, useRef, useState, type FormEvent } from "react";
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import { Field, Notice } from "../ui/parts";
import { sentence } from "../words";
import type { Candidate } from "./AddCamera";
import { hear, isStreamAddress, takeCredentials } from "./questions";

interface ConnectStepProps {
  candidate: Candidate;
  /** Why a test before has failed. */
  failure: { words: string; advice: string } | undefined;
  onBack: () => void;
  onConnected: (candidate: Candidate) => void;
}

/** User name and password; then a camera is asked for its streams, unless a stream's address is known. */
export function ConnectStep({ candidate, failure: before, onBack, onConnected }: ConnectStepProps) {
  const [address, setAddress] = useState(candidate.address);
  const [username, setUsername] = useState(candidate.login.username ?? "");
  const [password, setPassword] = useState(candidate.login.password ?? "");
  const [failure, setFailure] = useState(before);
  const [busy, setBusy] = useState(false);
  const stop = useRef(new AbortController());
  useEffect(() => {
    stop.current = new AbortController();
    return () => stop.current.abort();
  }, []);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const taken = takeCredentials(address);
    const login = {
      username: username.trim() || taken.username || null,
      password: password || taken.password || null,
    };
    const next: Candidate = { ...candidate, address: taken.address, login, streams: undefined };
    const isFound = taken.address === candidate.device?.address;
    if (!isFound && isStreamAddress(taken.address)) return onConnected(next);
    setBusy(true);
    setFailure(undefined);
    try {
      await hear(
        () => api.cameraStreams(taken.address, login),
        (answer) => {
          if (answer.kind !== "profiles") return;
          if (answer.ok) onConnected({ ...next, streams: answer, device: answer.device ?? candidate.device });
          else setFailure({ words: answer.explanation, advice: answer.advice });
        },
        stop.current.signal,
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFailure({ words: error.message, advice: "" });
    }
    setBusy(false);
  }

  const device = candidate.device;
  return (
    <form className="form" onSubmit={(event) => void submit(event)} data-testid="connect-step">
      {device?.name && (
        <p>
          <strong>{device.name}</strong> <span className="muted">{device.host}</span>
        </p>
      )}
      {failure && (
        <Notice tone="bad">
          <strong>{sentence(failure.words)}</strong> {failure.advice}
        </Notice>
      )}
      <Field label="Address">
        <input
          value={address}
          onChange={(event) => setAddress(event.target.value)}
          required
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
        />
      </Field>
      <div className="form__pair">
        <Field label="User name">
          <input
            value={username}
            onChange={(event) => setUsername(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
        </Field>
        <Field label="Password">
          <input
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            type="password"
            autoComplete="new-password"
          />
        </Field>
      </div>
      <p className="hint">
        The camera's own, as on its web page; leave them empty if it asks for none. The password is kept by
        Mien and shown to nobody.
      </p>
      <div className="form__actions">
        <button type="button" className="button" onClick={onBack}>
          Back
        </button>
        <button className="button button--main" disabled={busy}>
          {busy ? (
            <>
              <span className="spinner" /> Asking the camera…
            </>
          ) : (
            "Connect"
          )}
        </button>
      </div>
    </form>
  );
}
