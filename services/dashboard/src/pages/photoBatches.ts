/** The gateway takes at most 50 photos a request, each of at most 10 MB. */
const MOST_FILES = 50;
const MOST_BYTES = 10 * 1024 * 1024;

export function batches<F extends { size: number }>(files: F[]): { batches: F[][]; tooLarge: F[] } {
  const fitting = files.filter(({ size }) => size <= MOST_BYTES);
  const count = Math.ceil(fitting.length / MOST_FILES);
  return {
    batches: Array.from({ length: count }, (_, n) => fitting.slice(n * MOST_FILES, (n + 1) * MOST_FILES)),
    tooLarge: files.filter(({ size }) => size > MOST_BYTES),
  };
}
