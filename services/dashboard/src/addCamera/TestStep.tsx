import { useEffect, useState, type FormEvent } from "react";
import { api, type Login } from "../api/client";
import { ApiError } from "../api/errors";
import type { Camera, CameraTest, StreamProfile, StreamReport } from "../api/types";
import { Icon } from "../ui/Icon";
import { Field, Notice } from "../ui/parts";
import { sentence } from "../words";
import type { Candidate } from "./AddCamera";
import { hear, suggestedName } from "./questions";

type TestState =
  | { kind: "running"; words: string }
  | { kind: "tested"; test: CameraTest; picture: string | null }
  | { kind: "failed"; words: string };

const STEP_WORDS = {
  connecting: "Connecting…",
  connected: "Connected, waiting for the first picture…",
  measuring: "Pictures come, measuring…",
};

interface TestStepProps {
  candidate: Candidate;
  onSaved: (camera: Camera) => void;
  onBack: (failure?: { words: string; advice: string }) => void;
}

/** Opens the stream, shows its first picture and how it is, and adds it under a name. */
export function TestStep({ candidate, onSaved, onBack }: TestStepProps) {
  const { streams, login } = candidate;
  const [url, setUrl] = useState(streams?.url ?? candidate.address);
  const [mainUrl, setMainUrl] = useState(streams?.main_stream_url ?? "");
  const [name, setName] = useState(() => suggestedName(candidate.device?.name, url));
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [certificate, setCertificate] = useState(candidate.certificateSha256 ?? null);
  const [test, again] = useTest(url, login, certificate);
  const works = test.kind === "tested" && test.test.ok;

  function chooseUrl(chosen: string) {
    setUrl(chosen);
    if (chosen === mainUrl) setMainUrl("");
  }

  async function save(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      const fields = { name: name.trim(), url, main_stream_url: mainUrl || null, ...login };
      onSaved(await api.addCamera({ ...fields, certificate_sha256: certificate }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFailure(error.message);
      setBusy(false);
    }
  }

  return (
    <form className="form" onSubmit={(event) => void save(event)} data-testid="test-step">
      <Picture test={test} />
      {test.kind === "failed" && <Notice tone="bad">{test.words}</Notice>}
      {test.kind === "tested" && !test.test.ok && (
        <Notice tone="bad">
          <strong>{sentence(test.test.explanation)}</strong> {test.test.advice}
        </Notice>
      )}
      {test.kind === "tested" && test.test.certificate && (
        <Certificate shown={test.test.certificate} accept={setCertificate} />
      )}
      {works && test.test.report && <Report report={test.test.report} />}
      {streams && streams.profiles.length > 1 ? (
        <div className="form__pair">
          <Field label="Look for faces in" help="640 to 1280 pixels wide is best.">
            <select value={url} onChange={(event) => chooseUrl(event.target.value)}>
              <Profiles profiles={streams.profiles} />
            </select>
          </Field>
          <Field label="Cut faces out of" help="The larger stream, of the same moment.">
            <select value={mainUrl} onChange={(event) => setMainUrl(event.target.value)}>
              <option value="">The same</option>
              <Profiles profiles={streams.profiles.filter((profile) => profile.url !== url)} />
            </select>
          </Field>
        </div>
      ) : (
        <p className="address" title={url}>
          {url}
        </p>
      )}
      {failure && <Notice tone="bad">{failure}</Notice>}
      <Field label="Name">
        <input
          value={name}
          onChange={(event) => setName(event.target.value)}
          required
          maxLength={200}
          placeholder="Front door"
        />
      </Field>
      <div className="form__actions">
        <button type="button" className="button" onClick={() => onBack(failureOf(test))}>
          Back
        </button>
        {test.kind !== "running" && !works && (
          <button type="button" className="button" onClick={again}>
            Try again
          </button>
        )}
        <button
          className={`button ${works ? "button--main" : ""}`}
          disabled={busy || test.kind === "running"}
        >
          {busy ? "Adding…" : works || test.kind === "running" ? "Add camera" : "Add it all the same"}
        </button>
      </div>
    </form>
  );
}

function useTest(url: string, login: Login, certificate: string | null): [TestState, () => void] {
  const [state, setState] = useState<TestState>({ kind: "running", words: STEP_WORDS.connecting });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState({ kind: "running", words: STEP_WORDS.connecting });
    hear(
      () => api.testCamera(url, login, certificate),
      (answer, requestId) => {
        if (answer.kind === "step") setState({ kind: "running", words: STEP_WORDS[answer.step] });
        if (answer.kind === "tested") {
          const picture = answer.has_snapshot ? api.testSnapshot(requestId) : null;
          setState({ kind: "tested", test: answer, picture });
        }
      },
      stop.signal,
    ).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      if (!stop.signal.aborted) setState({ kind: "failed", words: error.message });
    });
    return () => stop.abort();
  }, [url, login, certificate, times]);
  return [state, () => setTimes(times + 1)];
}

function Picture({ test }: { test: TestState }) {
  const picture = test.kind === "tested" ? test.picture : null;
  return (
    <div className="test__picture" role="status">
      {picture && <img src={picture} alt="What the camera sees" />}
      {test.kind === "running" && (
        <span>
          <span className="spinner" /> {test.words}
        </span>
      )}
      {test.kind !== "running" && !picture && <Icon name="plug" />}
    </div>
  );
}

function Certificate({
  shown,
  accept,
}: {
  shown: NonNullable<CameraTest["certificate"]>;
  accept: (sha256: string) => void;
}) {
  return (
    <Notice tone="warn">
      It names {shown.subject}, until {shown.not_after}. Compare its fingerprint with the one on the camera's
      own page: <code className="fingerprint">{shown.sha256}</code>{" "}
      <button type="button" className="link" onClick={() => accept(shown.sha256)}>
        It is the camera's own: accept it
      </button>
    </Notice>
  );
}

function Report({ report }: { report: StreamReport }) {
  const [width, height] = report.size_wh;
  const facts = [
    `${report.codec.toUpperCase()}, ${width} × ${height}`,
    report.measured_fps !== null && `${report.measured_fps.toFixed(0)} pictures per second`,
    report.keyframe_interval_seconds !== null &&
      `a keyframe every ${report.keyframe_interval_seconds.toFixed(1)} s`,
    report.bitrate_kbps !== null && `${(report.bitrate_kbps / 1000).toFixed(1)} Mbit/s`,
  ].filter(Boolean);
  return (
    <>
      <p className="test__works">
        <Icon name="check" /> <strong>It works.</strong> <span className="muted">{facts.join(" · ")}</span>
      </p>
      {report.warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          {warning}
        </Notice>
      ))}
    </>
  );
}

function Profiles({ profiles }: { profiles: StreamProfile[] }) {
  return profiles.map((profile) => (
    <option key={profile.url} value={profile.url}>
      {[profile.name, profile.size_wh?.join(" × "), profile.codec].filter(Boolean).join(", ")}
    </option>
  ));
}

function failureOf(test: TestState): { words: string; advice: string } | undefined {
  if (test.kind !== "tested" || test.test.ok) return undefined;
  return { words: test.test.explanation, advice: test.test.advice };
}
