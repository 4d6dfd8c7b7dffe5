import { Link } from "react-router";
import type { ImportInfo } from "../api/types";
import { Pill } from "../ui/parts";
import { emotionWords, initials, sentence } from "../words";
import { photosWords } from "./importWords";

type ImportedPerson = ImportInfo["people"][number];

/** Whom the files show, with a few of their photos. */
export function ImportPeople({ people, done }: { people: ImportedPerson[]; done: boolean }) {
  if (people.length === 0) return null;
  return (
    <section className="panel">
      <h2>
        People <span className="count">{people.length}</span>
      </h2>
      <ul className="import-people">
        {people.map((person) => (
          <li key={person.person_id ?? person.name} data-testid="import-person">
            <span className="import-people__faces" aria-hidden="true">
              {person.samples.map((src) => (
                <img key={src} src={src} alt="" loading="lazy" />
              ))}
              {person.samples.length === 0 && <span>{initials(person.name)}</span>}
            </span>
            <span className="import-people__who">
              {done && person.person_id ? (
                <Link to={`/people/${encodeURIComponent(person.person_id)}`}>
                  <strong>{person.name}</strong>
                </Link>
              ) : (
                <strong>{person.name}</strong>
              )}
              <small>{emotionsWords(person.emotions)}</small>
            </span>
            <span className="import-people__count">
              {photosWords(person.photos)}
              {person.left_out > 0 && <small>{person.left_out} not used</small>}
            </span>
            <Pill tone={person.is_new ? "good" : "off"}>{person.is_new ? "New" : "There already"}</Pill>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** "Happy 2, sad 1". */
function emotionsWords(emotions: Record<string, number>): string {
  const words = Object.entries(emotions).map(
    ([label, count]) => `${emotionWords(label).toLowerCase()} ${count}`,
  );
  return words.length > 0 ? sentence(words.join(", ")).slice(0, -1) : "";
}

/** Files that are not used, each with its reason. */
export function ImportProblems({ data }: { data: ImportInfo }) {
  const more = data.counts.refused + data.counts.set_aside - data.problems.length;
  if (data.problems.length === 0 && data.counts.skipped === 0) return null;
  return (
    <section className="panel">
      <h2>
        Not used <span className="count">{data.counts.refused + data.counts.set_aside}</span>
      </h2>
      {data.problems.length > 0 && (
        <ul className="import-problems">
          {data.problems.map(({ path, kind, words }) => (
            <li key={path} data-testid="import-problem">
              <code>{path}</code>
              <span>
                {kind === "set_aside" && <strong>Set aside. </strong>}
                {sentence(words)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {more > 0 && <p className="muted">And {more} more.</p>}
      {data.counts.skipped > 0 && (
        <p className="muted">
          {data.counts.skipped === 1 ? "One file is" : `${data.counts.skipped} files are`} no picture and
          passed over.
        </p>
      )}
    </section>
  );
}
