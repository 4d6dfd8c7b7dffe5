import { useMemo } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";

const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "long", year: "numeric" };

/** What a person agreed to at the webcam, with the way to go on or to delete it. Nothing where there was none. */
export function Consents({ personId }: { personId: string }) {
  const resource = useMemo(() => new Resource(() => api.enrolmentsOf(personId)), [personId]);
  const sessions = useResource(resource).data ?? [];
  if (sessions.length === 0) return null;
  return (
    <section className="panel">
      <h2>Enrolled at the webcam</h2>
      {sessions.map((session) => (
        <details key={session.session_id}>
          <summary>
            {new Date(session.consented_at).toLocaleDateString(undefined, DAY)},{" "}
            {session.photo_count === 1 ? "1 photo" : `${session.photo_count} photos`}
          </summary>
          <p className="consent">{session.consent_text}</p>
          <p className="hint">
            Agreed by {session.consented_by}; {session.recorded_by} was signed in.{" "}
            <Link to={`/enrol/${encodeURIComponent(session.session_id)}`}>Go on, or delete everything</Link>
          </p>
        </details>
      ))}
    </section>
  );
}
