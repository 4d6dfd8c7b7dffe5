import { useMemo } from "react";
import { Link } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import { SightingRow } from "./SightingRow";

/** The last few sightings, of everybody or of one person. */
export function RecentSightings({ personId, limit = 8 }: { personId?: string; limit?: number }) {
  const resource = useMemo(
    () => new Resource(() => api.sightings({ limit, ...(personId ? { person_id: personId } : {}) })),
    [personId, limit],
  );
  const { data } = useResource(resource, 10_000);
  const more = personId ? `/history?person=${encodeURIComponent(personId)}` : "/history";
  return (
    <section className="recent">
      <h2>
        Recently seen <Link to={more}>All</Link>
      </h2>
      {data?.length === 0 && (
        <p className="muted">Nobody yet. A sighting is listed once the person has left.</p>
      )}
      <ul>
        {data?.map((sighting) => (
          <SightingRow
            key={sighting.sighting_id}
            sighting={sighting}
            compact={!personId}
            onePerson={personId !== undefined}
            {...(personId ? { corrected: () => void resource.refresh() } : {})}
          />
        ))}
      </ul>
    </section>
  );
}
