import { Link } from "react-router";
import type { Sighting } from "../api/types";
import { Avatar } from "../ui/parts";
import { answerWords, durationWords, emotionWords } from "../words";

const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };

export const timeWords = (iso: string): string => new Date(iso).toLocaleTimeString(undefined, TIME);

interface SightingRowProps {
  sighting: Sighting;
  /** Where room is short. */
  compact?: boolean;
  /** Everybody in the list is the same person: say where instead of who. */
  onePerson?: boolean;
}

/** Somebody was seen somewhere. */
export function SightingRow({ sighting, compact, onePerson }: SightingRowProps) {
  const name = answerWords(sighting.answer, sighting.person_name ?? null);
  const lastedMs = Date.parse(sighting.ended_at) - Date.parse(sighting.started_at);
  return (
    <li className={`sighting ${compact ? "sighting--compact" : ""}`} data-testid="sighting">
      <Avatar name={sighting.answer === "known" ? name : ""} src={sighting.face_url} />
      <div className="sighting__who">
        {onePerson ? <span>{sighting.camera_name}</span> : <Who sighting={sighting} name={name} />}
      </div>
      {!compact && sighting.emotions && <Emotions shares={sighting.emotions} />}
      <div className="sighting__when">
        <time dateTime={sighting.started_at}>{timeWords(sighting.started_at)}</time>
        {!compact && <small>for {durationWords(lastedMs)}</small>}
      </div>
    </li>
  );
}

function Who({ sighting, name }: { sighting: Sighting; name: string }) {
  return (
    <>
      {sighting.person_id ? (
        <Link to={`/people/${encodeURIComponent(sighting.person_id)}`}>{name}</Link>
      ) : (
        <span className="muted">{name}</span>
      )}
      <small>{sighting.camera_name}</small>
    </>
  );
}

/** Shares of a sighting's time, largest first. */
function Emotions({ shares }: { shares: Record<string, number> }) {
  const sorted = Object.entries(shares)
    .filter(([, share]) => share > 0)
    .sort(([, a], [, b]) => b - a);
  const words = sorted.map(([label, share]) => `${emotionWords(label)} ${Math.round(share * 100)} %`);
  const first = sorted[0];
  if (!first) return null;
  return (
    <div className="sighting__emotions" title={words.join(", ")}>
      <span className="muted">Mostly {emotionWords(first[0]).toLowerCase()}</span>
      <span className="shares" role="img" aria-label={words.join(", ")}>
        {sorted.map(([label, share]) => (
          <span key={label} className={`mood--${label}`} style={{ flexGrow: share }} />
        ))}
      </span>
    </div>
  );
}
