import type { ReactNode } from "react";
import { NavLink } from "react-router";
import { useResource } from "../api/resource";
import { connection, notice, system } from "../live/live";
import { Icon, Logo, type IconName } from "../ui/Icon";
import { useNow } from "../ui/parts";
import { durationWords, troubles } from "../words";
import { sessionState } from "./session";
import { useStore } from "./store";

const PLACES: { to: string; label: string; icon: IconName }[] = [
  { to: "/", label: "Live", icon: "live" },
  { to: "/cameras", label: "Cameras", icon: "camera" },
  { to: "/webcam", label: "Webcam", icon: "webcam" },
  { to: "/people", label: "People", icon: "people" },
  { to: "/strangers", label: "Strangers", icon: "strangers" },
  { to: "/history", label: "History", icon: "history" },
];
const FEWER_PLACES: typeof PLACES = [
  { to: "/training", label: "Training", icon: "training" },
  { to: "/system", label: "System", icon: "system" },
  { to: "/account", label: "Account", icon: "account" },
];
const SYSTEM_EVERY_MS = 5_000;

/** Navigation, and whatever everybody must know whichever page they are on. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <nav className="nav" aria-label="Main">
        <NavLink to="/" className="nav__brand" aria-label="Mien, live">
          <Logo />
          <span>Mien</span>
        </NavLink>
        {PLACES.map((place) => (
          <Place key={place.to} {...place} />
        ))}
        <span className="nav__gap" />
        {FEWER_PLACES.map((place) => (
          <Place key={place.to} {...place} />
        ))}
        <SignedInAs />
      </nav>
      <main className="content" id="content">
        <ConnectionBanner />
        <TroubleStrip />
        {children}
      </main>
    </div>
  );
}

function Place({ to, label, icon }: (typeof PLACES)[number]) {
  return (
    <NavLink to={to} end={to === "/"} className="nav__place">
      <Icon name={icon} />
      <span>{label}</span>
    </NavLink>
  );
}

function SignedInAs() {
  const state = useStore(sessionState);
  if (state.kind !== "signed_in") return null;
  return <p className="nav__who">Signed in as {state.session.username}</p>;
}

function ConnectionBanner() {
  const state = useStore(connection.state);
  return state.kind === "lost" ? <Lost sinceMs={state.sinceMs} /> : null;
}

function Lost({ sinceMs }: { sinceMs: number }) {
  const now = useNow(1_000);
  return (
    <div className="banner banner--bad" role="alert" data-testid="connection-lost">
      <span className="spinner" />
      <span>
        <strong>Connection lost.</strong> Reconnecting by itself…
      </span>
      <span className="banner__aside">{durationWords(now - sinceMs)}</span>
      <button type="button" className="link" onClick={connection.reconnectNow}>
        Try now
      </button>
    </div>
  );
}

/** What is wrong in the system, from `GET /api/system`, and what the gateway has to say. */
function TroubleStrip() {
  const { data } = useResource(system, SYSTEM_EVERY_MS);
  const words = useStore(notice);
  const lost = useStore(connection.state).kind === "lost";
  const list = data ? troubles(data) : [];
  if (lost || (list.length === 0 && !words)) return null;
  return (
    <div className="banner banner--warn" role="status" data-testid="trouble">
      <Icon name="alert" />
      <ul>
        {list.map((line) => (
          <li key={line}>{line}</li>
        ))}
        {words && <li>{words}</li>}
      </ul>
      {words && (
        <button type="button" className="link" onClick={() => notice.set(null)}>
          Dismiss
        </button>
      )}
    </div>
  );
}
