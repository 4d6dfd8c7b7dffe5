import { EmptyState } from "../ui/parts";

/** The browser hands out no camera on this page: why, and what to do about it. */
export function NoCamera({ why }: { why: "insecure" | "unsupported" }) {
  if (why === "unsupported") {
    return (
      <EmptyState icon="camera" title="This browser has no camera for pages">
        <p>Open Mien in a current Chrome, Edge, Firefox or Safari.</p>
      </EmptyState>
    );
  }
  const port = location.port ? `:${location.port}` : "";
  return (
    <EmptyState icon="camera" title="The camera needs a secure page">
      <p>
        Browsers give a camera to pages with <code>https</code> only, and this one is open at{" "}
        <code>{location.origin}</code>.
      </p>
      <ul className="advice">
        <li>
          At the computer that runs Mien, open <code>http://localhost{port}</code> instead: that counts as
          secure.
        </li>
        <li>
          From anywhere else, ask whoever runs Mien to put it behind HTTPS; the README says how, under
          “Webcams and phones”.
        </li>
      </ul>
    </EmptyState>
  );
}
