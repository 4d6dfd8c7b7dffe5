/** Importing a long file in steps, so that its progress can be shown. */
import type { ImportProgress } from "../api/types";

const STEP = 10;

export interface Imported {
  count: number;
  importId?: string;
}

type ImportStep = (step: { import_id?: string; first: number; count: number }) => Promise<ImportProgress>;

/** Import *total* entries; *onProgress* hears what is done after each step. */
export async function importAll(
  run: ImportStep,
  total: number,
  onProgress: (done: Imported & { share: number }) => void,
): Promise<Imported> {
  let done: Imported = { count: 0 };
  let first: number | null = 0;
  while (first !== null) {
    const step: ImportProgress = await run({
      ...(done.importId && { import_id: done.importId }),
      first,
      count: STEP,
    });
    first = step.next;
    done = { count: done.count + step.added.length, importId: step.import_id };
    onProgress({ ...done, share: first === null ? 1 : first / total });
  }
  return done;
}
