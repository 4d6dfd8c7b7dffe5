/** The one live session of the page: connection, frames, who is in view, camera states. */
import { api } from "../api/client";
import { Resource } from "../api/resource";
import type { Camera, CameraStatus } from "../api/types";
import { Store, useStore } from "../app/store";
import { checkSession } from "../app/session";
import { LiveConnection } from "./connection";
import { FrameFeed } from "./feed";
import { Presence } from "./presence";

export const feed = new FrameFeed();
export const presence = new Presence();
export const notice = new Store<string | null>(null);

const statuses = new Map<string, Store<CameraStatus | null>>();

function statusOf(cameraId: string): Store<CameraStatus | null> {
  const known = statuses.get(cameraId);
  if (known) return known;
  const fresh = new Store<CameraStatus | null>(null);
  statuses.set(cameraId, fresh);
  return fresh;
}

export const cameras = new Resource<Camera[]>(async () => {
  const list = await api.cameras();
  for (const camera of list) statusOf(camera.camera_id).set(camera.status);
  return list;
});

export const people = new Resource(api.people);
export const strangers = new Resource(api.strangers);
/** Where emotion and tiredness may be read at all, and who last changed that. */
export const readings = new Resource(api.readings);
export const system = new Resource(api.system);

/** A camera's state as the websocket last said it, else as it was fetched. */
export const useCameraStatus = (camera: Camera): CameraStatus =>
  useStore(statusOf(camera.camera_id)) ?? camera.status;

const socketUrl = (): string =>
  `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`;

export const connection = new LiveConnection(
  {
    frame(frame, jpeg) {
      presence.add(frame);
      feed.push(frame, jpeg);
    },
    message(message) {
      if (message.type === "camera") statusOf(message.status.camera_id).set(message.status);
      if (message.type === "cameras_changed") {
        void cameras.refresh();
        void readings.refresh();
      }
      if (message.type === "notice") notice.set(message.message);
    },
    opened() {
      void cameras.refresh();
      void system.refresh();
      void readings.refresh();
    },
    refused: () => void checkSession(),
  },
  socketUrl(),
);
