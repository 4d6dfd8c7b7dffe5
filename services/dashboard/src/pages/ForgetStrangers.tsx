import type { Stranger } from "../api/types";
import { Dialog } from "../ui/Dialog";
import { strangersWords } from "../words";
import { forget } from "./strangerActions";

/** Ask before what can't be taken back. */
export function ForgetStrangers({
  chosen,
  close,
  forgotten,
}: {
  chosen: Stranger[];
  close: () => void;
  forgotten: () => void;
}) {
  async function submit() {
    if (await forget(chosen)) forgotten();
    close();
  }
  return (
    <Dialog title={`Forget ${strangersWords(chosen)}?`} onClose={close}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p>
          Faces and face vectors are deleted, and past sightings lose the number. That somebody was there
          stays in the history. This can't be undone; whoever comes back is a new stranger.
        </p>
        <div className="form__actions">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button className="button button--danger">Forget</button>
        </div>
      </form>
    </Dialog>
  );
}
