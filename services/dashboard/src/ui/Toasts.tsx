import { Store, useStore } from "../app/store";

interface Toast {
  id: number;
  words: string;
  action?: { label: string; run: () => void };
}

const toasts = new Store<Toast[]>([]);
const SHOWN_MS = 8_000;
let lastId = 0;

/** Say something that needs no answer, for a few seconds, with at most one thing to do about it. */
export function toast(words: string, action?: Toast["action"]): void {
  const id = ++lastId;
  toasts.set([...toasts.get(), action ? { id, words, action } : { id, words }].slice(-3));
  setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((entry) => entry.id !== id));
}

export function Toasts() {
  return (
    <div className="toasts" role="status">
      {useStore(toasts).map(({ id, words, action }) => (
        <div className="toast" key={id}>
          <span>{words}</span>
          {action && (
            <button
              type="button"
              className="link"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
