import { useEffect, useId, useRef, type ReactNode } from "react";
import { IconButton } from "./Icon";

/** A modal dialog; Escape and the cross close it. The browser keeps the focus inside. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => ref.current?.showModal(), []);
  // A dialog of several steps has a title for each.
  useEffect(() => ref.current?.querySelector<HTMLElement>("input, select, textarea")?.focus(), [title]);
  return (
    <dialog ref={ref} className="dialog" aria-labelledby={titleId} onClose={onClose}>
      <header className="dialog__head">
        <h2 id={titleId}>{title}</h2>
        <IconButton icon="close" words="Close" onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}
