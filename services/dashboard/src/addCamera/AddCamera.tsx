/** Adding a camera: find it, connect to it, see that it works, give it a name. */
import { useState } from "react";
import type { Login } from "../api/client";
import type { Camera, CameraDevice, CameraStreams } from "../api/types";
import { CameraForm } from "../pages/CameraForm";
import { Dialog } from "../ui/Dialog";
import { ConnectStep } from "./ConnectStep";
import { FindStep } from "./FindStep";
import { TestStep } from "./TestStep";

/** What is known of the camera so far. */
export interface Candidate {
  /** What was typed or found: a stream's address, or that of the camera. */
  address: string;
  login: Login;
  device?: CameraDevice | undefined;
  streams?: CameraStreams | undefined;
  /** Of a certificate that somebody has accepted. */
  certificateSha256?: string | undefined;
}

type Step =
  | { kind: "find" }
  | { kind: "connect"; candidate: Candidate; failure?: { words: string; advice: string } }
  | { kind: "test"; candidate: Candidate }
  | { kind: "form" };

const TITLES: Record<Step["kind"], string> = {
  find: "Add a camera",
  connect: "Connect to the camera",
  test: "See that it works",
  form: "Add a camera",
};
const NO_LOGIN: Login = { username: null, password: null };

export function AddCamera({ onSaved, onClose }: { onSaved: (camera: Camera) => void; onClose: () => void }) {
  const [step, setStep] = useState<Step>({ kind: "find" });
  return (
    <Dialog title={TITLES[step.kind]} onClose={onClose}>
      {step.kind === "find" && (
        <FindStep
          onFound={(address, login, device) =>
            setStep({ kind: "connect", candidate: { address, login: login ?? NO_LOGIN, device } })
          }
          onByHand={() => setStep({ kind: "form" })}
        />
      )}
      {step.kind === "connect" && (
        <ConnectStep
          candidate={step.candidate}
          failure={step.failure}
          onBack={() => setStep({ kind: "find" })}
          onConnected={(candidate) => setStep({ kind: "test", candidate })}
        />
      )}
      {step.kind === "test" && (
        <TestStep
          candidate={step.candidate}
          onSaved={onSaved}
          onBack={(failure) =>
            setStep({ kind: "connect", candidate: step.candidate, ...(failure && { failure }) })
          }
        />
      )}
      {step.kind === "form" && <CameraForm onSaved={onSaved} onCancel={() => setStep({ kind: "find" })} />}
    </Dialog>
  );
}
