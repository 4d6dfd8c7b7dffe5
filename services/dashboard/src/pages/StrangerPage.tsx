import { useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { StrangerDetail, Visit } from "../api/types";
import { strangers } from "../live/live";
import { Icon } from "../ui/Icon";
import { Avatar, EmptyState, Notice, PageHead } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { visitsWords } from "../words";
import { told } from "./denyPerson";
import { ForgetStrangers } from "./ForgetStrangers";
import { NameStranger } from "./NameStranger";
import { setIgnored, takeApart, unname } from "./strangerActions";

const WHEN: Intl.DateTimeFormatOptions = {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
};

export function StrangerPage() {
  const { strangerId = "" } = useParams();
  const navigate = useNavigate();
  const resource = useMemo(() => new Resource(() => api.stranger(strangerId)), [strangerId]);
  const { data: stranger, error } = useResource(resource, 5_000);
  const [asking, setAsking] = useState<"name" | "forget" | null>(null);
  const changed = () => {
    void resource.refresh();
    void strangers.refresh();
  };
  if (error?.status === 404) return <NobodyHere />;
  if (!stranger) return error ? <Notice tone="bad">{error.message}</Notice> : null;
  return (
    <>
      <Link to="/strangers" className="back">
        <Icon name="back" /> Strangers
      </Link>
      <div className="person-head">
        <Avatar name="" src={stranger.face_url} large />
        <PageHead title={stranger.label}>
          {stranger.person_name === null && (
            <button type="button" className="button button--main" onClick={() => setAsking("name")}>
              Name…
            </button>
          )}
          <button
            type="button"
            className="button"
            onClick={() => void setIgnored([stranger], !stranger.ignored).then(changed)}
          >
            {stranger.ignored ? "Show again" : "Ignore"}
          </button>
          <button type="button" className="button button--danger" onClick={() => setAsking("forget")}>
            Forget
          </button>
        </PageHead>
      </div>
      <Named stranger={stranger} changed={changed} />
      {stranger.ignored && <Notice tone="warn">{stranger.label} is left out of history and alerts.</Notice>}
      <Joined stranger={stranger} changed={changed} />
      <Visits stranger={stranger} changed={changed} />
      {asking === "name" && (
        <NameStranger
          chosen={[stranger]}
          close={() => setAsking(null)}
          named={(personId) => void navigate(`/people/${encodeURIComponent(personId)}`)}
        />
      )}
      {asking === "forget" && (
        <ForgetStrangers
          chosen={[stranger]}
          close={() => setAsking(null)}
          forgotten={() => void navigate("/strangers")}
        />
      )}
    </>
  );
}

interface PartProps {
  stranger: StrangerDetail;
  changed: () => void;
}

function Named({ stranger, changed }: PartProps) {
  if (stranger.person_name === null || stranger.person_id === null) return null;
  return (
    <Notice tone="good">
      This is <Link to={`/people/${encodeURIComponent(stranger.person_id)}`}>{stranger.person_name}</Link>.{" "}
      <button type="button" className="link" onClick={() => void unname(stranger).then(changed)}>
        Take the name back
      </button>
    </Notice>
  );
}

function Joined({ stranger, changed }: PartProps) {
  if (stranger.joined_ids.length === 0) return null;
  const count = stranger.joined_ids.length;
  return (
    <Notice tone="busy">
      {count === 1 ? "Another stranger counts" : `${count} other strangers count`} as {stranger.label}.{" "}
      <button
        type="button"
        className="link"
        onClick={() => void takeApart(stranger.joined_ids).then(changed)}
      >
        Take apart
      </button>
    </Notice>
  );
}

function Visits({ stranger, changed }: PartProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (visitId: string) => {
    const next = new Set(chosen);
    if (!next.delete(visitId)) next.add(visitId);
    setChosen(next);
  };
  const some = chosen.size > 0 && chosen.size < stranger.visits.length;

  const split = () =>
    told(async () => {
      const other = await api.splitStranger(stranger.stranger_id, [...chosen]);
      setChosen(new Set());
      changed();
      toast(`These visits are ${other.label}'s now.`, {
        label: "Undo",
        run: () =>
          void told(async () => {
            await api.mergeStrangers([stranger.stranger_id, other.stranger_id]);
            changed();
          }),
      });
    });

  return (
    <section className="panel">
      <header className="panel__head">
        <h2>{visitsWords(stranger.visit_count, stranger.cameras.length)}</h2>
        {some && (
          <button type="button" className="button" onClick={() => void split()}>
            <Icon name="split" /> {chosen.size === 1 ? "This is" : "These are"} somebody else
          </button>
        )}
      </header>
      <ul className="photos__grid">
        {stranger.visits.map((visit) => (
          <VisitCard
            key={visit.visit_id}
            visit={visit}
            chosen={chosen.has(visit.visit_id)}
            toggle={stranger.visits.length > 1 ? () => toggle(visit.visit_id) : undefined}
          />
        ))}
      </ul>
      {stranger.visits.length > 1 && (
        <p className="hint">
          Choose faces that are not the same person, and they become a stranger of their own.
        </p>
      )}
    </section>
  );
}

interface VisitCardProps {
  visit: Visit;
  chosen: boolean;
  toggle: (() => void) | undefined;
}

function VisitCard({ visit, chosen, toggle }: VisitCardProps) {
  return (
    <li className="photo visit" data-chosen={chosen} data-testid="visit">
      <label className="photo__picture">
        <img src={visit.face_url} alt="" loading="lazy" />
        {toggle && (
          <input type="checkbox" checked={chosen} onChange={toggle} aria-label="Choose this visit" />
        )}
      </label>
      <span>{visit.camera_name}</span>
      <small>
        <time dateTime={visit.seen_at}>{new Date(visit.seen_at).toLocaleString(undefined, WHEN)}</time>
      </small>
    </li>
  );
}

function NobodyHere() {
  return (
    <EmptyState
      icon="strangers"
      title="This stranger is not here any more"
      action={
        <Link className="button" to="/strangers">
          All strangers
        </Link>
      }
    >
      <p>They were forgotten, or their last visit is longer ago than strangers are remembered.</p>
    </EmptyState>
  );
}
