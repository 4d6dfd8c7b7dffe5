import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import { useResource } from "../api/resource";
import type { Sighting } from "../api/types";
import { cameras, people } from "../live/live";
import { EmptyState, Notice, PageHead } from "../ui/parts";
import { SightingRow } from "./SightingRow";

const PAGE = 50;

export function HistoryPage() {
  const [search, setSearch] = useSearchParams();
  const cameraId = search.get("camera") ?? "";
  const personId = search.get("person") ?? "";
  const { list, error, more, ended, replace } = useSightings(cameraId, personId);
  const choose = (key: string) => (value: string) => {
    const next = new URLSearchParams(search);
    if (value) next.set(key, value);
    else next.delete(key);
    setSearch(next, { replace: true });
  };
  const filtered = cameraId !== "" || personId !== "";
  return (
    <>
      <PageHead title="History">
        <Filters cameraId={cameraId} personId={personId} choose={choose} />
      </PageHead>
      {error && <Notice tone="bad">{error}</Notice>}
      {list?.length === 0 && <NothingSeen filtered={filtered} />}
      {byDay(list ?? []).map(([day, sightings]) => (
        <section className="panel day" key={day}>
          <h2>{day}</h2>
          <ul>
            {sightings.map((sighting) => (
              <SightingRow key={sighting.sighting_id} sighting={sighting} corrected={() => void replace()} />
            ))}
          </ul>
        </section>
      ))}
      {list && list.length > 0 && !ended && (
        <button type="button" className="button button--wide" onClick={() => void more()}>
          Load more
        </button>
      )}
    </>
  );
}

interface FiltersProps {
  cameraId: string;
  personId: string;
  choose: (key: string) => (value: string) => void;
}

function Filters({ cameraId, personId, choose }: FiltersProps) {
  const cameraList = useResource(cameras).data ?? [];
  const personList = useResource(people).data ?? [];
  return (
    <>
      <select aria-label="Camera" value={cameraId} onChange={(event) => choose("camera")(event.target.value)}>
        <option value="">All cameras</option>
        {cameraList.map((camera) => (
          <option key={camera.camera_id} value={camera.camera_id}>
            {camera.name}
          </option>
        ))}
      </select>
      <select aria-label="Person" value={personId} onChange={(event) => choose("person")(event.target.value)}>
        <option value="">Everybody</option>
        {personList.map((person) => (
          <option key={person.person_id} value={person.person_id}>
            {person.name}
          </option>
        ))}
      </select>
    </>
  );
}

function NothingSeen({ filtered }: { filtered: boolean }) {
  return (
    <EmptyState icon="history" title={filtered ? "Nothing matches" : "Nobody has been seen yet"}>
      <p>
        {filtered
          ? "Choose another camera or person."
          : "As soon as somebody has passed a camera, when and where they were seen is listed here."}
      </p>
    </EmptyState>
  );
}

function useSightings(cameraId: string, personId: string) {
  const [list, setList] = useState<Sighting[]>();
  const [error, setError] = useState<string>();
  const [ended, setEnded] = useState(false);

  async function load(before: Sighting[], isCurrent: () => boolean) {
    const last = before.at(-1);
    try {
      const page = await api.sightings({
        camera_id: cameraId,
        person_id: personId,
        limit: PAGE,
        ...(last ? { before: last.started_at } : {}),
      });
      if (!isCurrent()) return;
      setError(undefined);
      setEnded(page.length < PAGE);
      setList([...before, ...page]);
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      if (isCurrent()) setError(caught.message);
    }
  }

  useEffect(() => {
    let current = true;
    setList(undefined);
    void load([], () => current);
    return () => {
      current = false;
    };
    // `load` only closes over the two filters.
  }, [cameraId, personId]);
  return {
    list,
    error,
    ended,
    more: () => load(list ?? [], () => true),
    /** Read again what is listed, as far as one page goes. */
    replace: () => load([], () => true),
  };
}

function byDay(sightings: Sighting[]): [day: string, sightings: Sighting[]][] {
  const days = new Map<string, Sighting[]>();
  for (const sighting of sightings) {
    const day = dayWords(new Date(sighting.started_at));
    days.set(day, [...(days.get(day) ?? []), sighting]);
  }
  return [...days];
}

function dayWords(date: Date): string {
  const daysAgo = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
  if (daysAgo === 0) return "Today";
  if (daysAgo === 1) return "Yesterday";
  return date.toLocaleDateString(undefined, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
}

const startOfDay = (date: Date): number => new Date(date).setHours(0, 0, 0, 0);
