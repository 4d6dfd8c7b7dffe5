import type { ReactNode } from "react";
import { Dialog } from "./Dialog";

/** Asks before what is not done lightly; what it means, and whether it comes back, stands above the buttons. */
export function ConfirmDialog({
  title,
  action,
  keep = "Keep",
  tone = "danger",
  disabled = false,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  action: string;
  keep?: string;
  tone?: "danger" | "main";
  disabled?: boolean;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void onConfirm();
        }}
      >
        {children}
        <div className="form__actions">
          <button type="button" className="button" onClick={onClose}>
            {keep}
          </button>
          <button className={`button button--${tone}`} disabled={disabled}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
