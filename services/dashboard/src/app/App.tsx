import { useEffect } from "react";
import { Navigate, Route, Routes } from "react-router";
import { cameras, connection, people, strangers, system } from "../live/live";
import { AccountPage } from "../pages/AccountPage";
import { CameraPage } from "../pages/CameraPage";
import { CamerasPage } from "../pages/CamerasPage";
import { EnrolPage } from "../pages/EnrolPage";
import { EnrolStart } from "../pages/EnrolStart";
import { HistoryPage } from "../pages/HistoryPage";
import { ImportPage } from "../pages/ImportPage";
import { ImportsPage } from "../pages/ImportsPage";
import { LivePage } from "../pages/LivePage";
import { LoginPage } from "../pages/LoginPage";
import { NameFace } from "../pages/NameFace";
import { PeoplePage } from "../pages/PeoplePage";
import { PersonPage } from "../pages/PersonPage";
import { StrangerPage } from "../pages/StrangerPage";
import { StrangersPage } from "../pages/StrangersPage";
import { SystemPage } from "../pages/SystemPage";
import { JobPage } from "../training/JobPage";
import { TrainingPage } from "../training/TrainingPage";
import { WebcamPage } from "../pages/WebcamPage";
import { Toasts } from "../ui/Toasts";
import { checkSession, sessionState } from "./session";
import { Shell } from "./Shell";
import { useStore } from "./store";

const ASK_AGAIN_MS = 3_000;

/** The page, or the login in front of it; the address stays, so that signing in again leads back. */
export function App() {
  const state = useStore(sessionState);
  const signedIn = state.kind === "signed_in";
  useEffect(() => {
    if (state.kind === "loading") void checkSession();
    if (state.kind !== "unreachable") return;
    const timer = setInterval(() => void checkSession(), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [state.kind]);
  useEffect(() => {
    if (!signedIn) return;
    connection.start();
    return () => {
      connection.stop();
      for (const resource of [cameras, people, strangers, system]) resource.clear();
    };
  }, [signedIn]);

  if (state.kind === "loading") return <div className="waiting" />;
  if (state.kind === "unreachable") return <Unreachable />;
  if (state.kind === "signed_out") return <LoginPage expired={state.expired} />;
  return (
    <>
      <Shell>
        <Routes>
          <Route index element={<LivePage />} />
          <Route path="cameras" element={<CamerasPage />} />
          <Route path="cameras/:cameraId" element={<CameraPage />} />
          <Route path="people" element={<PeoplePage />} />
          <Route path="people/:personId" element={<PersonPage />} />
          <Route path="people/import" element={<ImportsPage />} />
          <Route path="people/import/:importId" element={<ImportPage />} />
          <Route path="strangers" element={<StrangersPage />} />
          <Route path="strangers/:strangerId" element={<StrangerPage />} />
          <Route path="history" element={<HistoryPage />} />
          <Route path="training" element={<TrainingPage />} />
          <Route path="training/:jobId" element={<JobPage />} />
          <Route path="webcam" element={<WebcamPage />} />
          <Route path="enrol" element={<EnrolStart />} />
          <Route path="enrol/:sessionId" element={<EnrolPage />} />
          <Route path="system" element={<SystemPage />} />
          <Route path="account" element={<AccountPage />} />
          <Route path="*" element={<Navigate to="/" replace />} />
        </Routes>
      </Shell>
      <NameFace />
      <Toasts />
    </>
  );
}

function Unreachable() {
  return (
    <main className="waiting" role="status">
      <span className="spinner" />
      <p>Mien doesn't answer. This page tries again by itself.</p>
    </main>
  );
}
