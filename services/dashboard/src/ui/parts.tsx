/** Small pieces that several pages use. */
import { cloneElement, useEffect, useId, useState, type ReactElement, type ReactNode } from "react";
import { initials, type Tone } from "../words";
import { Icon, type IconName } from "./Icon";

export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: IconName;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <section className="empty">
      <span className="empty__icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      <div className="empty__words">{children}</div>
      {action}
    </section>
  );
}

interface ControlProps {
  id?: string;
  "aria-describedby"?: string | undefined;
  "aria-invalid"?: boolean | undefined;
}

/** A labelled control with its help and its error beside it. */
export function Field({
  label,
  help,
  error,
  children,
}: {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  children: ReactElement<ControlProps>;
}) {
  const id = useId();
  const describedBy = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={`field ${error ? "field--wrong" : ""}`}>
      <label htmlFor={id}>{label}</label>
      {cloneElement(children, {
        id,
        "aria-describedby": describedBy || undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {error && (
        <p className="field__error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
      {help && (
        <p className="field__help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

/** A face, or initials where there is no picture. */
export function Avatar({
  name,
  src,
  large,
}: {
  name: string;
  src: string | null | undefined;
  large?: boolean;
}) {
  const [broken, setBroken] = useState<string | null>(null);
  return (
    <span className={`avatar ${large ? "avatar--large" : ""}`} aria-hidden="true">
      {src && broken !== src ? (
        <img src={src} alt="" loading="lazy" onError={() => setBroken(src)} />
      ) : (
        <span>{initials(name) || <Icon name="face" />}</span>
      )}
    </span>
  );
}

export function Pill({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`pill pill--${tone}`}>
      <span className={`dot dot--${tone}`} />
      {children}
    </span>
  );
}

export function Notice({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <div className={`notice notice--${tone}`} role={tone === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}

/** The time, as React state, every *everyMs*. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Mien`;
  }, [title]);
  return (
    <header className="page-head">
      <h1>{title}</h1>
      {children && <div className="page-head__actions">{children}</div>}
    </header>
  );
}
