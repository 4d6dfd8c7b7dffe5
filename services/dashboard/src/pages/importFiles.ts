/** What was dropped or chosen, as the files of one import. */

/** A file with its path in the folder that was brought. */
export interface PickedFile {
  path: string;
  file: File;
}

/** The gateway takes at most 50 files a request, each of at most 10 MB. */
const MOST_FILES = 50;
const MOST_BYTES = 10 * 1024 * 1024;
/** Smaller requests than it takes, so that progress moves and little is lost with a connection. */
const BATCH_BYTES = 25 * 1024 * 1024;

export const isArchive = (file: File): boolean => /\.zip$/i.test(file.name);

/** Files of an `<input>`; with a folder chosen they know their paths. */
export const filesOfInput = (files: Iterable<File>): PickedFile[] =>
  [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** Everything that was dropped, folders with all that is in them. */
export async function filesOfDrop(items: DataTransferItemList): Promise<PickedFile[]> {
  // All entries must be taken before the first await: the list is empty afterwards.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return (await Promise.all(entries.map(filesOfEntry))).flat();
}

async function filesOfEntry(entry: FileSystemEntry): Promise<PickedFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: PickedFile[] = [];
  for (;;) {
    // A reader gives a hundred at a time, and an empty list at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map(filesOfEntry))).flat());
  }
}

/** What people know the import by. */
export function sourceOf(files: PickedFile[]): string {
  const folders = new Set(files.map(({ path }) => (path.includes("/") ? path.split("/")[0] : "")));
  const [only] = folders;
  if (folders.size === 1 && only) return only;
  return files.length === 1 ? (files[0]?.file.name ?? "") : `${files.length} files`;
}

/** Files in portions that a request may hold, and those that are too large for any. */
export function portions(files: PickedFile[]): { portions: PickedFile[][]; tooLarge: PickedFile[] } {
  const result: PickedFile[][] = [];
  let bytes = Infinity;
  for (const picked of files.filter(({ file }) => file.size <= MOST_BYTES)) {
    if (bytes + picked.file.size > BATCH_BYTES || (result.at(-1)?.length ?? MOST_FILES) >= MOST_FILES) {
      result.push([]);
      bytes = 0;
    }
    result.at(-1)?.push(picked);
    bytes += picked.file.size;
  }
  return { portions: result, tooLarge: files.filter(({ file }) => file.size > MOST_BYTES) };
}
