import { useState, type KeyboardEvent } from "react";
import { Link, useNavigate } from "react-router";
import { useResource } from "../api/resource";
import type { Stranger } from "../api/types";
import { strangers } from "../live/live";
import { Icon } from "../ui/Icon";
import { EmptyState, Notice, PageHead, useNow } from "../ui/parts";
import { agoWords, visitsWords } from "../words";
import { ForgetStrangers } from "./ForgetStrangers";
import { NameStranger } from "./NameStranger";
import { join, setIgnored } from "./strangerActions";
import { StrangerPolicy, useStrangerPolicy } from "./StrangerPolicy";
import { VisitSparkline } from "./VisitSparkline";

type Kind = "unnamed" | "ignored" | "named";
const KINDS: { kind: Kind; label: string }[] = [
  { kind: "unnamed", label: "Strangers" },
  { kind: "ignored", label: "Ignored" },
  { kind: "named", label: "Named since" },
];

const kindOf = (stranger: Stranger): Kind =>
  stranger.person_name !== null ? "named" : stranger.ignored ? "ignored" : "unnamed";

export function StrangersPage() {
  const { data, error } = useResource(strangers, 5_000);
  const { keepDays, refresh } = useStrangerPolicy();
  const [kind, setKind] = useState<Kind>("unnamed");
  const [chosenIds, setChosenIds] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<"name" | "forget" | null>(null);
  const shown = data?.filter((stranger) => kindOf(stranger) === kind) ?? [];
  const chosen = shown.filter(({ stranger_id }) => chosenIds.has(stranger_id));
  const off = keepDays === 0;

  const toggle = (strangerId: string) => {
    const next = new Set(chosenIds);
    if (!next.delete(strangerId)) next.add(strangerId);
    setChosenIds(next);
  };
  const clear = () => setChosenIds(new Set());
  const act = (work: Promise<unknown>) => void work.then(clear);

  return (
    <>
      <PageHead title="Strangers">
        {keepDays !== undefined && <StrangerPolicy keepDays={keepDays} changed={() => void refresh()} />}
      </PageHead>
      {error && <Notice tone="bad">{error.message}</Notice>}
      {data && data.length > 0 && (
        <Kinds data={data} kind={kind} choose={(next) => (setKind(next), clear())} />
      )}
      {data && keepDays !== undefined && shown.length === 0 && (
        <Nobody kind={data.length === 0 ? "unnamed" : kind} off={off} />
      )}
      <StrangerCards
        list={shown}
        days={keepDays || 7}
        chosenIds={chosenIds}
        toggle={toggle}
        act={(key, stranger) => {
          const those = chosen.length > 0 ? chosen : [stranger];
          if (key === "n" && kind !== "named") ask("name", those);
          else if (key === "i") act(setIgnored(those, kind !== "ignored"));
          else if (key === "j" && those.length > 1) act(join(those));
          else if (key === "Delete") ask("forget", those);
          else if (key === "Escape") clear();
        }}
      />
      {chosen.length > 0 && (
        <div className="selection" role="toolbar" aria-label="Chosen strangers">
          <strong>{chosen.length} chosen</strong>
          {kind !== "named" && (
            <button type="button" className="button button--main" onClick={() => setAsking("name")}>
              Name…
            </button>
          )}
          {chosen.length > 1 && kind !== "named" && (
            <button type="button" className="button" onClick={() => act(join(chosen))}>
              <Icon name="merge" /> Same person
            </button>
          )}
          {kind !== "named" && (
            <button
              type="button"
              className="button"
              onClick={() => act(setIgnored(chosen, kind !== "ignored"))}
            >
              <Icon name="bellOff" /> {kind === "ignored" ? "Show again" : "Ignore"}
            </button>
          )}
          <button type="button" className="button button--danger" onClick={() => setAsking("forget")}>
            Forget
          </button>
          <button type="button" className="link" onClick={clear}>
            Clear
          </button>
        </div>
      )}
      {asking === "name" && chosen.length > 0 && (
        <NameStranger chosen={chosen} close={() => (setAsking(null), clear())} />
      )}
      {asking === "forget" && chosen.length > 0 && (
        <ForgetStrangers chosen={chosen} close={() => setAsking(null)} forgotten={clear} />
      )}
    </>
  );

  function ask(what: "name" | "forget", those: Stranger[]) {
    setChosenIds(new Set(those.map(({ stranger_id }) => stranger_id)));
    setAsking(what);
  }
}

function Kinds({ data, kind, choose }: { data: Stranger[]; kind: Kind; choose: (kind: Kind) => void }) {
  return (
    <div className="segments strangers__kinds" role="radiogroup" aria-label="Which strangers">
      {KINDS.map((one) => (
        <label key={one.kind}>
          <input type="radio" name="kind" checked={one.kind === kind} onChange={() => choose(one.kind)} />
          <span>
            {one.label} {data.filter((stranger) => kindOf(stranger) === one.kind).length}
          </span>
        </label>
      ))}
    </div>
  );
}

function Nobody({ kind, off }: { kind: Kind; off: boolean }) {
  if (kind === "ignored") {
    return (
      <EmptyState icon="bellOff" title="Nobody is ignored">
        <p>Of somebody ignored, the history and alerts say nothing: the postman, the cleaner.</p>
      </EmptyState>
    );
  }
  if (kind === "named") {
    return (
      <EmptyState icon="people" title="No stranger has been named yet">
        <p>Whoever you give a name is listed here until their visits expire, so that you can take it back.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon="strangers" title={off ? "Strangers are not remembered" : "No strangers so far"}>
      <p>
        {off
          ? "Choose above for how long somebody without a name may be remembered."
          : "Somebody whom nobody here knows gets a number as soon as two clear views agree, and keeps it when they come back."}
      </p>
    </EmptyState>
  );
}

interface CardsProps {
  list: Stranger[];
  days: number;
  chosenIds: ReadonlySet<string>;
  toggle: (strangerId: string) => void;
  act: (key: string, stranger: Stranger) => void;
}

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

function StrangerCards({ list, days, chosenIds, toggle, act }: CardsProps) {
  const now = useNow(10_000);
  const navigate = useNavigate();

  function press(event: KeyboardEvent<HTMLLIElement>, stranger: Stranger) {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) {
      const cards = [...(event.currentTarget.parentElement?.children ?? [])] as HTMLElement[];
      cards[cards.indexOf(event.currentTarget) + step]?.focus();
    } else if (event.key === " ") toggle(stranger.stranger_id);
    else if (event.key === "Enter") void navigate(`/strangers/${encodeURIComponent(stranger.stranger_id)}`);
    else act(event.key, stranger);
    if (event.key !== "Tab") event.preventDefault();
  }

  return (
    <>
      <ul className="cards cards--people">
        {list.map((stranger) => (
          <li
            key={stranger.stranger_id}
            className="stranger-card"
            data-testid="stranger-card"
            data-chosen={chosenIds.has(stranger.stranger_id)}
            tabIndex={0}
            aria-label={`${stranger.label}. ${visitsWords(stranger.visit_count, stranger.cameras.length)}`}
            onKeyDown={(event) => press(event, stranger)}
          >
            <Link to={`/strangers/${encodeURIComponent(stranger.stranger_id)}`} tabIndex={-1}>
              <img className="stranger-card__face" src={stranger.face_url} alt="" loading="lazy" />
              <strong>{stranger.person_name ?? stranger.label}</strong>
              <small>{visitsWords(stranger.visit_count, stranger.cameras.length)}</small>
              <small>Last {agoWords(Date.parse(stranger.last_seen_at), now)}</small>
              <VisitSparkline visitTimes={stranger.visit_times} days={days} />
            </Link>
            <input
              type="checkbox"
              checked={chosenIds.has(stranger.stranger_id)}
              onChange={() => toggle(stranger.stranger_id)}
              aria-label={`Choose ${stranger.label}`}
              tabIndex={-1}
            />
          </li>
        ))}
      </ul>
      {list.length > 0 && (
        <p className="hint keys">
          Keys: <kbd>←</kbd> <kbd>→</kbd> move, <kbd>Space</kbd> choose, <kbd>Enter</kbd> open, <kbd>N</kbd>{" "}
          name, <kbd>J</kbd> same person, <kbd>I</kbd> ignore, <kbd>Del</kbd> forget
        </p>
      )}
    </>
  );
}
