import { Link } from "react-router";
import type { Sighting } from "../api/types";
import { chosenFace } from "../live/chosenFace";
import { TimelineStrip } from "../looks/TimelineStrip";
import { Avatar } from "../ui/parts";
import { IconButton } from "../ui/Icon";
import { answerWords, durationWords, emotionWords, similarityWords } from "../words";
import { denyPerson, withdrawDenial } from "./denyPerson";

const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };

export const timeWords = (iso: string): string => new Date(iso).toLocaleTimeString(undefined, TIME);

interface SightingRowProps {
  sighting: Sighting;
  /** Where room is short. */
  compact?: boolean;
  /** Everybody in the list is the same person: say where instead of who. */
  onePerson?: boolean;
  /** Where names may be corrected: called after one was. */
  corrected?: () => void;
}

/** Somebody was seen somewhere. */
export function SightingRow({ sighting, compact, onePerson, corrected }: SightingRowProps) {
  const name = answerWords(sighting.answer, sighting.person_name ?? null, sighting.stranger_label);
  const lastedMs = Date.parse(sighting.ended_at) - Date.parse(sighting.started_at);
  return (
    <li className={`sighting ${compact ? "sighting--compact" : ""}`} data-testid="sighting">
      <Avatar name={sighting.answer === "known" ? name : ""} src={sighting.face_url} />
      <div className="sighting__who">
        {onePerson ? <span>{sighting.camera_name}</span> : <Who sighting={sighting} name={name} />}
        <small>
          {!onePerson && sighting.camera_name}
          {!compact && <Resemblance sighting={sighting} apart={!onePerson} />}
        </small>
      </div>
      {!compact && (sighting.emotions || sighting.tiredness) && <Looks sighting={sighting} />}
      {corrected && (
        <span className="sighting__correct">
          <ThisIs sighting={sighting} corrected={corrected} />
          <Correct sighting={sighting} corrected={corrected} />
        </span>
      )}
      <div className="sighting__when">
        <time dateTime={sighting.started_at}>{timeWords(sighting.started_at)}</time>
        {!compact && <small>for {durationWords(lastedMs)}</small>}
      </div>
    </li>
  );
}

/** How sure a name is, in words; the figures when pointed at. */
function Resemblance({ sighting, apart }: { sighting: Sighting; apart: boolean }) {
  const before = apart ? " · " : "";
  if (sighting.denied_person_id) return `${before}Not ${sighting.denied_person_name ?? "who it seemed"}`;
  const words = similarityWords(sighting.similarity, sighting.accept_similarity);
  if (!words || sighting.answer !== "known") return null;
  return (
    <span title={words.figures}>
      {before}
      {words.word}
    </span>
  );
}

const VIEWS_KEPT_MS = 15 * 60_000;

/** Views are kept for a quarter of an hour, and of strangers for as long as they are remembered. */
const hasViews = (sighting: Sighting): boolean =>
  Boolean(sighting.face_url) || Date.now() - Date.parse(sighting.ended_at) < VIEWS_KEPT_MS;

function ThisIs({ sighting, corrected }: { sighting: Sighting; corrected: () => void }) {
  if (!hasViews(sighting)) return null;
  const { track_id: trackId, answer, person_id, person_name, stranger_id } = sighting;
  const words = person_id ? `This is not ${person_name ?? "this person"} but …` : "This is …";
  return (
    <IconButton
      icon="edit"
      words={words}
      onClick={() =>
        chosenFace.set({
          trackId,
          answer,
          personId: person_id,
          personName: person_name,
          strangerId: person_id ? null : stranger_id,
          changed: corrected,
        })
      }
    />
  );
}

function Correct({ sighting, corrected }: { sighting: Sighting; corrected: () => void }) {
  if (sighting.denied_person_id) {
    return (
      <button
        type="button"
        className="link"
        onClick={() => void withdrawDenial(sighting.track_id, corrected)}
      >
        It is {sighting.denied_person_name ?? "them"}
      </button>
    );
  }
  if (sighting.answer !== "known" || !sighting.person_id) return null;
  const words = `Not ${sighting.person_name ?? "this person"}`;
  return (
    <IconButton
      icon="notThem"
      words={words}
      onClick={() => void denyPerson(sighting.track_id, undefined, sighting.person_name, corrected)}
    />
  );
}

function Who({ sighting, name }: { sighting: Sighting; name: string }) {
  const to = sighting.person_id
    ? `/people/${encodeURIComponent(sighting.person_id)}`
    : sighting.stranger_id && `/strangers/${encodeURIComponent(sighting.stranger_id)}`;
  return <>{to ? <Link to={to}>{name}</Link> : <span className="muted">{name}</span>}</>;
}

/** How somebody looked most of the time, and from when to when. */
function Looks({ sighting }: { sighting: Sighting }) {
  const sorted = Object.entries(sighting.emotions ?? {})
    .filter(([, share]) => share > 0)
    .sort(([, a], [, b]) => b - a);
  const words = sorted.map(([label, share]) => `${emotionWords(label)} ${Math.round(share * 100)} %`);
  const first = sorted[0];
  const tired = sighting.tiredness === "tired";
  if (!first && !tired) return null;
  return (
    <div className="sighting__emotions" title={words.join(", ")}>
      <span className="muted">
        {first && `Mostly ${emotionWords(first[0]).toLowerCase()}`}
        {first && tired && " · "}
        {tired && <strong className="sighting__tired">{first ? "tired" : "Looked tired"}</strong>}
      </span>
      {sighting.emotion_timeline && <TimelineStrip sighting={sighting} />}
      {!sighting.emotion_timeline && first && (
        <span className="shares" role="img" aria-label={words.join(", ")}>
          {sorted.map(([label, share]) => (
            <span key={label} className={`mood--${label}`} style={{ flexGrow: share }} />
          ))}
        </span>
      )}
    </div>
  );
}
