import { useEffect, useRef, useState, type FormEvent } from "react";
import { api, type Login } from "../api/client";
import { ApiError } from "../api/errors";
import type { Camera, CameraDevice, CameraSearchEnd } from "../api/types";
import { useStore } from "../app/store";
import { cameras } from "../live/live";
import { Icon } from "../ui/Icon";
import { Field, Notice } from "../ui/parts";
import { hear, takeCredentials } from "./questions";

const SEARCH_SECONDS = 5;

interface FindStepProps {
  onFound: (address: string, login?: Login, device?: CameraDevice) => void;
  onByHand: () => void;
}

/** An address, or one of the cameras that answer in the network. */
export function FindStep({ onFound, onByHand }: FindStepProps) {
  const [typed, setTyped] = useState("");

  function submit(event: FormEvent) {
    event.preventDefault();
    const { address, username, password } = takeCredentials(typed);
    onFound(address, { username: username || null, password: password || null });
  }

  return (
    <div className="form">
      <form className="find" onSubmit={submit}>
        <Field label="Address" help="Of the camera, as 192.168.1.20, or of its stream, as rtsp://…">
          <input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            required
            inputMode="url"
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            placeholder="192.168.1.20"
          />
        </Field>
        <button className="button button--main">Go on</button>
      </form>
      <Search onFound={(device) => onFound(device.address, undefined, device)} />
      <p className="hint">
        Or{" "}
        <button type="button" className="link" onClick={onByHand}>
          fill in everything by hand
        </button>
        .
      </p>
    </div>
  );
}

type SearchState =
  { kind: "searching" } | { kind: "ended"; end: CameraSearchEnd } | { kind: "failed"; words: string };

/** Looks for cameras as soon as it is shown, and again when it is asked to. */
function Search({ onFound }: { onFound: (device: CameraDevice) => void }) {
  const [state, setState] = useState<SearchState>({ kind: "searching" });
  const [found, setFound] = useState<CameraDevice[]>([]);
  const [times, setTimes] = useState(0);
  const known = useStore(cameras.store).data ?? [];

  useEffect(() => {
    const stop = new AbortController();
    setFound([]);
    setState({ kind: "searching" });
    hear(
      () => api.searchCameras(SEARCH_SECONDS),
      (answer) => {
        if (answer.kind === "found") setFound((before) => [...before, answer.device]);
        if (answer.kind === "searched") setState({ kind: "ended", end: answer });
      },
      stop.signal,
    ).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      if (!stop.signal.aborted) setState({ kind: "failed", words: error.message });
    });
    return () => stop.abort();
  }, [times]);

  return (
    <section className="search" aria-label="Cameras in the network">
      <header>
        <h3>In the network</h3>
        {state.kind === "searching" ? (
          <SearchProgress key={times} />
        ) : (
          <button type="button" className="link" onClick={() => setTimes(times + 1)}>
            Search again
          </button>
        )}
      </header>
      {state.kind === "failed" && <Notice tone="bad">{state.words}</Notice>}
      <ul className="search__found" aria-live="polite">
        {found.map((device) => (
          <Found key={device.address} device={device} known={known} choose={() => onFound(device)} />
        ))}
      </ul>
      {state.kind === "ended" && found.length === 0 && <NothingFound end={state.end} />}
    </section>
  );
}

function SearchProgress() {
  const bar = useRef<HTMLProgressElement>(null);
  useEffect(() => {
    const begun = performance.now();
    const timer = setInterval(() => {
      if (bar.current) bar.current.value = (performance.now() - begun) / 1000;
    }, 100);
    return () => clearInterval(timer);
  }, []);
  return <progress ref={bar} max={SEARCH_SECONDS + 0.5} aria-label="Searching" />;
}

function Found({ device, known, choose }: { device: CameraDevice; known: Camera[]; choose: () => void }) {
  const there = known.find((camera) => hostOf(camera.url) === device.host);
  return (
    <li>
      <button type="button" className="search__device" onClick={choose}>
        <Icon name="camera" />
        <span>
          <strong>{device.name || "Camera"}</strong>
          <small>{[device.model, device.host].filter(Boolean).join(" · ")}</small>
        </span>
        {there && <span className="badge">Added as {there.name}</span>}
      </button>
    </li>
  );
}

function NothingFound({ end }: { end: CameraSearchEnd }) {
  return (
    <div className="search__none">
      <p>{end.explanation || "No camera has answered. That is common:"}</p>
      {!end.explanation && (
        <ul className="advice">
          <li>ONVIF is turned off in many cameras until it is turned on in their settings.</li>
          <li>A search does not cross routers: cameras in another network or VLAN don't hear it.</li>
          <li>Some switches and access points hold multicast back, and containers hear none.</li>
        </ul>
      )}
      <p>With its address a camera can be added all the same.</p>
    </div>
  );
}

function hostOf(url: string): string {
  try {
    return new URL(url).hostname;
  } catch {
    return "";
  }
}
