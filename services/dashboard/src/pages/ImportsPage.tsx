import { Link } from "react-router";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { ImportSummary } from "../api/types";
import { Icon } from "../ui/Icon";
import { Notice, PageHead, Pill, useNow } from "../ui/parts";
import { agoWords } from "../words";
import { ImportDrop } from "./ImportDrop";
import { countWords, stateWords } from "./importWords";

const imports = new Resource(api.imports);
const EVERY_MS = 3_000;

/** Bring photos of many people, and what was brought before. */
export function ImportsPage() {
  const { data, error } = useResource(imports, EVERY_MS);
  return (
    <>
      <Link to="/people" className="back">
        <Icon name="back" /> People
      </Link>
      <PageHead title="Import people" />
      <section className="panel">
        <ImportDrop />
        <dl className="naming">
          <div>
            <dt>A folder per person</dt>
            <dd>
              <code>team/Ada Lovelace/1.jpg</code>
            </dd>
          </div>
          <div>
            <dt>Or the name in the file</dt>
            <dd>
              <code>Ada_Lovelace-happy-1.jpg</code>
            </dd>
          </div>
        </dl>
        <p className="hint">
          JPEG, PNG or WebP, one face each, up to 10 MB a photo and 5,000 photos. You see who gets which
          photos before anything is enrolled, and can undo it afterwards.
        </p>
      </section>
      {error && <Notice tone="bad">{error.message}</Notice>}
      {data && data.length > 0 && (
        <section className="panel">
          <h2>Imports so far</h2>
          <ul className="imports">
            {data.map((one) => (
              <ImportRow key={one.import_id} one={one} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function ImportRow({ one }: { one: ImportSummary }) {
  const now = useNow(30_000);
  const { tone, words } = stateWords(one);
  return (
    <li data-testid="import-row">
      <Link to={`/people/import/${encodeURIComponent(one.import_id)}`}>
        <strong>{one.source}</strong>
        <small>{countWords(one)}</small>
      </Link>
      <Pill tone={tone}>{words}</Pill>
      <small>
        {agoWords(Date.parse(one.created_at), now)} by {one.created_by}
      </small>
    </li>
  );
}
