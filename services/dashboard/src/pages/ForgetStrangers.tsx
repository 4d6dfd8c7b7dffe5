import type { Stranger } from "../api/types";
import { ConfirmDialog } from "../ui/ConfirmDialog";
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
    <ConfirmDialog
      title={`Forget ${strangersWords(chosen)}?`}
      action="Forget"
      onConfirm={submit}
      onClose={close}
    >
      <p>
        Faces and face vectors are deleted, and past sightings lose the number. That somebody was there stays
        in the history. This can't be undone; whoever comes back is a new stranger.
      </p>
    </ConfirmDialog>
  );
}
