import { useRef, useState, type DragEvent } from "react";
import { useNavigate } from "react-router";
import { api, uploadImportArchive, uploadImportFiles } from "../api/client";
import { ApiError } from "../api/errors";
import { Icon } from "../ui/Icon";
import { Notice } from "../ui/parts";
import { filesOfDrop, filesOfInput, isArchive, portions, sourceOf, type PickedFile } from "./importFiles";

/** Where a folder, files or a zip archive are dropped; then their preview opens. */
export function ImportDrop() {
  const navigate = useNavigate();
  const folderInput = useRef<HTMLInputElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [share, setShare] = useState<number | null>(null);
  const [failure, setFailure] = useState<string>();

  async function bring(files: PickedFile[]) {
    if (files.length === 0) return;
    setFailure(undefined);
    setShare(0);
    try {
      const { import_id } = await api.beginImport(sourceOf(files));
      await send(import_id, files, setShare);
      await navigate(`/people/import/${encodeURIComponent(import_id)}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setFailure(error.message);
      setShare(null);
    }
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    if (share === null) void filesOfDrop(event.dataTransfer.items).then(bring);
  }

  const choose = (input: HTMLInputElement) => {
    const files = filesOfInput(input.files ?? []);
    input.value = "";
    void bring(files);
  };

  return (
    <>
      {failure && <Notice tone="bad">{failure}</Notice>}
      <div
        className={`drop drop--large ${over ? "drop--over" : ""}`}
        data-testid="import-drop"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Icon name="upload" />
        {share === null ? (
          <>
            <p>Drop a folder or a zip archive here</p>
            <div className="drop__ways">
              <button type="button" className="button" onClick={() => folderInput.current?.click()}>
                Choose a folder
              </button>
              <button type="button" className="button" onClick={() => fileInput.current?.click()}>
                Choose a zip archive or photos
              </button>
            </div>
          </>
        ) : (
          <>
            <p>Uploading… keep this page open until it is through.</p>
            <progress value={share} aria-label="Upload" />
          </>
        )}
        <input
          ref={folderInput}
          type="file"
          hidden
          multiple
          data-testid="import-folder"
          {...{ webkitdirectory: "" }}
          onChange={(event) => choose(event.target)}
        />
        <input
          ref={fileInput}
          type="file"
          hidden
          multiple
          accept=".zip,image/*"
          data-testid="import-files"
          onChange={(event) => choose(event.target)}
        />
      </div>
    </>
  );
}

/** Send all files of an import; a single zip archive goes as one. */
async function send(importId: string, files: PickedFile[], onProgress: (share: number) => void) {
  const [first] = files;
  if (files.length === 1 && first && isArchive(first.file)) {
    await uploadImportArchive(importId, first.file, onProgress);
    return;
  }
  const { portions: todo, tooLarge } = portions(files);
  if (todo.length === 0) {
    throw new ApiError(`${tooLarge[0]?.path ?? "The file"} is larger than 10 MB.`, 0);
  }
  for (const [index, portion] of todo.entries()) {
    await uploadImportFiles(importId, portion, (sent) => onProgress((index + sent) / todo.length));
  }
}
