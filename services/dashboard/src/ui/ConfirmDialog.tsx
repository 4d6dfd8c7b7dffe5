import type { ReactNode } from "react";
import { Dialog } from "./Dialog";

/** Asks before something is gone; what goes, and whether it comes back, stands between title and buttons. */
export function ConfirmDialog({
  title,
  action,
  keep = "Keep",
  disabled = false,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  action: string;
  keep?: string;
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
          <button className="button button--danger" disabled={disabled}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
