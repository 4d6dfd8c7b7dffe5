import { useState } from "react";
import { api } from "../api/client";
import type { Camera } from "../api/types";
import { cameras, useCameraStatus } from "../live/live";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { Notice } from "../ui/parts";
import { toast } from "../ui/Toasts";
import { attempt } from "./cameraActions";

/** The certificate that a camera shows and nobody vouches for, and the way to accept it. */
export function CertificateNotice({ camera }: { camera: Camera }) {
  const { certificate } = useCameraStatus(camera);
  const [asking, setAsking] = useState(false);
  if (!certificate) return null;
  const accept = () =>
    attempt(async () => {
      await api.editCamera(camera.camera_id, { certificate_sha256: certificate.sha256 });
      setAsking(false);
      await cameras.refresh();
      toast(`${camera.name}'s certificate is accepted.`);
    });
  return (
    <>
      <Notice tone="warn">
        It calls itself {certificate.subject} and is valid until {certificate.not_after}. Its SHA-256
        fingerprint: <code className="fingerprint">{pairs(certificate.sha256)}</code>
        <button type="button" className="link" onClick={() => setAsking(true)}>
          Accept this certificate…
        </button>
      </Notice>
      {asking && (
        <ConfirmDialog
          title="Accept this certificate?"
          action="It is the same"
          keep="Cancel"
          tone="main"
          onConfirm={accept}
          onClose={() => setAsking(false)}
        >
          <p>
            From now on {camera.name} is trusted if it shows this very certificate, and no other. Compare the
            fingerprint with the one in the camera's own settings: whoever stands between Mien and the camera
            would show another.
          </p>
          <p>
            <code className="fingerprint">{pairs(certificate.sha256)}</code>
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

const pairs = (sha256: string): string => (sha256.match(/../g) ?? []).join(":").toUpperCase();
