import { useEffect, useRef } from "react";
import { Link } from "react-router";
import type { Camera } from "../api/types";
import { useStore } from "../app/store";
import { Icon, IconButton } from "../ui/Icon";
import { tirednessWords } from "../looks/looksWords";
import { denyPerson } from "../pages/denyPerson";
import { answerWords, durationWords, emotionWords } from "../words";
import { chosenFace } from "./chosenFace";
import { nowMs } from "./clock";
import { faceCut } from "./faceCuts";
import { presence } from "./live";
import { ProbabilityBars } from "./overlay";
import type { Seen } from "./presence";
import type { LiveEmotion, LiveTiredness } from "./protocol";

interface WhoProps {
  cameras: Camera[];
  /** Only who this camera sees, with every estimate in full. */
  cameraId?: string;
}

const MOST_OTHERS = 4;

/** People now in view, newest first: all who have a name, then a few of the others and how many more. */
export function WhoIsHere({ cameras, cameraId }: WhoProps) {
  const seen = useStore(presence.seen).filter((entry) => !cameraId || entry.cameraId === cameraId);
  const named = seen.filter(({ answer }) => answer === "known");
  const others = seen.filter(({ answer }) => answer !== "known");
  const shownOthers = others.length > MOST_OTHERS + 1 && !cameraId ? others.slice(0, MOST_OTHERS) : others;
  const more = others.length - shownOthers.length;
  const cameraOf = (entry: Seen) => cameras.find((camera) => camera.camera_id === entry.cameraId);
  return (
    <section className="who" aria-label="Who is here">
      <h2>
        {cameraId ? "In view" : "Who is here"}{" "}
        {seen.length > 0 && <span className="count">{seen.length}</span>}
      </h2>
      {seen.length === 0 && <p className="muted">Nobody in view right now.</p>}
      <ul>
        {[...named, ...shownOthers].map((entry) => (
          <li key={entry.key} data-testid="who" data-person={entry.personName ?? ""}>
            <Cut trackId={entry.trackId} />
            <Who entry={entry} camera={cameraOf(entry)} showWhere={!cameraId} />
            {entry.answer && (
              <span className="who__correct">
                <ThisIs entry={entry} />
                {entry.personId && <NotThem entry={entry} />}
              </span>
            )}
            {cameraId && entry.tiredness && <Tiredness tiredness={entry.tiredness} />}
            {cameraId && entry.emotion && <Bars emotion={entry.emotion} />}
          </li>
        ))}
      </ul>
      {more > 0 && <p className="who__more">and {more} more without a name</p>}
    </section>
  );
}

interface WhoWordsProps {
  entry: Seen;
  camera: Camera | undefined;
  showWhere: boolean;
}

function Who({ entry, camera, showWhere }: WhoWordsProps) {
  const nameless = camera?.identity_policy === "off";
  const name = nameless ? "Somebody" : answerWords(entry.answer, entry.personName, entry.strangerLabel);
  const to = entry.personId
    ? `/people/${encodeURIComponent(entry.personId)}`
    : entry.strangerId && `/strangers/${encodeURIComponent(entry.strangerId)}`;
  const where = showWhere ? (camera?.name ?? entry.cameraId) : null;
  const mood = entry.emotion ? emotionWords(entry.emotion.label) : null;
  const tired = showWhere && entry.tiredness?.answer === "tired" ? "looks tired" : null;
  const since = durationWords(nowMs() - entry.sinceMs);
  return (
    <div className="who__words">
      {to ? (
        <Link to={to} className={entry.personId ? undefined : "who__stranger"}>
          {name}
        </Link>
      ) : (
        <span className="who__nobody">{name}</span>
      )}
      <small>{[where, since, mood, tired].filter(Boolean).join(" · ")}</small>
    </div>
  );
}

/** Somebody without a name, or with a wrong one: say who it is. */
function ThisIs({ entry }: { entry: Seen }) {
  const { trackId, answer, personId, personName, strangerId } = entry;
  const words = personId ? `This is not ${personName ?? "this person"} but …` : "This is …";
  return (
    <IconButton
      icon="edit"
      words={words}
      onClick={() => chosenFace.set({ trackId, answer, personId, personName, strangerId })}
    />
  );
}

/** One click for a name that is wrong; it does not come back, and can be taken back. */
function NotThem({ entry }: { entry: Seen }) {
  const words = `This is not ${entry.personName ?? "this person"}`;
  return (
    <IconButton
      icon="notThem"
      words={words}
      onClick={() => void denyPerson(entry.trackId, entry.personId ?? undefined, entry.personName)}
    />
  );
}

function Cut({ trackId }: { trackId: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const cut = faceCut(trackId);
    const holder = ref.current;
    if (cut && holder && holder.firstChild !== cut) holder.replaceChildren(cut);
  });
  return (
    <span className="who__cut" aria-hidden="true">
      <span ref={ref} />
      <Icon name="face" />
    </span>
  );
}

function Tiredness({ tiredness }: { tiredness: LiveTiredness }) {
  const { short, why } = tirednessWords(tiredness);
  return (
    <p className="who__tired">
      {tiredness.answer === "tired" ? <strong>{short}</strong> : short}: {why}
    </p>
  );
}

function Bars({ emotion }: { emotion: LiveEmotion }) {
  const ref = useRef<HTMLDivElement>(null);
  const bars = useRef<ProbabilityBars>(null);
  useEffect(() => {
    bars.current ??= new ProbabilityBars();
    ref.current?.replaceChildren(bars.current.root);
  }, []);
  useEffect(() => bars.current?.update(emotion), [emotion]);
  return <div ref={ref} className="who__bars" />;
}
