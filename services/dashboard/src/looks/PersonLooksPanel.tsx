import { useMemo, useState } from "react";
import { api } from "../api/client";
import { Resource, useResource } from "../api/resource";
import type { Person, PersonLooks } from "../api/types";
import { attempt } from "../pages/cameraActions";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { toast } from "../ui/Toasts";
import { daysOf, totalsOf } from "./looksWords";
import { LooksLegend, StackedBars } from "./StackedBars";

/** How somebody looked, by day, where cameras may tell that of each person. Nothing where none has. */
export function PersonLooksPanel({ person }: { person: Person }) {
  const { person_id: personId, name } = person;
  const resource = useMemo(() => new Resource(() => api.personLooks(personId)), [personId]);
  const { data: looks } = useResource(resource, 30_000);
  const [asking, setAsking] = useState(false);
  const forget = () =>
    attempt(async () => {
      await api.forgetPersonLooks(personId);
      setAsking(false);
      await resource.refresh();
      toast(`Forgotten how ${name} looked.`);
    });
  if (!looks || looks.days.length === 0) return null;
  return (
    <section className="panel" data-testid="person-looks">
      <header className="panel__head">
        <h2>How {name} looked</h2>
      </header>
      <Days looks={looks} />
      <p className="hint">
        From cameras that read emotions for each person; forgotten after {Math.round(looks.keep_days)} days.
      </p>
      <p className="hint">
        <a href={`/api/people/${encodeURIComponent(personId)}/emotions.csv`} download>
          Export as CSV
        </a>
        {" · "}
        <button type="button" className="link" onClick={() => setAsking(true)}>
          Forget
        </button>
      </p>
      {asking && (
        <ConfirmDialog
          title={`Forget how ${name} looked?`}
          action="Forget"
          onConfirm={forget}
          onClose={() => setAsking(false)}
        >
          <p>
            Emotions, tiredness and what Mien has learned of their usual look are deleted. When and where they
            were seen stays. This can’t be undone.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function Days({ looks }: { looks: PersonLooks }) {
  const days = daysOf(looks);
  const totals = totalsOf(days.map(({ shares }) => ({ startsAt: 0, people: 1, counts: shares })));
  const dayWords = (day: string) =>
    new Date(`${day}T12:00:00Z`).toLocaleDateString(undefined, { day: "numeric", month: "short" });
  return (
    <>
      <StackedBars
        bars={days.map(({ day, shares, words }) => ({
          key: day,
          title: `${dayWords(day)}: ${words}`,
          height: 1,
          parts: shares,
        }))}
        label="Share of each look, by day"
        ends={[dayWords(days[0]!.day), days.length > 1 ? dayWords(days.at(-1)!.day) : ""]}
      />
      <LooksLegend shares={totals} />
    </>
  );
}
