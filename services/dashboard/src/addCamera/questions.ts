/** Questions about cameras that are not registered yet: asked once, answered piece by piece. */
import { api } from "../api/client";
import { ApiError } from "../api/errors";
import type { CameraAnswer } from "../api/types";

export type Listen = (requestId: string, seen: number) => ReturnType<typeof api.cameraAnswers>;

/**
 * Ask, and hear the answers as they come until the last, or until *signal* is aborted.
 *
 * Returns the identifier of the question. Throws an {@link ApiError} in words when no answer comes.
 */
export async function hear(
  ask: () => Promise<{ request_id: string }>,
  onAnswer: (answer: CameraAnswer, requestId: string) => void,
  signal: AbortSignal,
  listen: Listen = api.cameraAnswers,
): Promise<void> {
  const { request_id: requestId } = await ask();
  let seen = 0;
  while (!signal.aborted) {
    const { replies, ended, failure } = await listen(requestId, seen);
    if (signal.aborted) return;
    for (const reply of replies) onAnswer(reply, requestId);
    seen += replies.length;
    if (failure) throw new ApiError(failure, 503);
    if (ended) return;
  }
}

/** Whether somebody typed the address of a stream; anything else names a camera, to be asked over ONVIF. */
export function isStreamAddress(text: string): boolean {
  const address = text.trim();
  const isWeb = /^https?:\/\/[^/]+\/./i.test(address) && !/\/onvif\//i.test(address);
  return isWeb || /^(rtsps?|file|usb):/i.test(address);
}

/** A name to begin with: what the camera calls itself, or where it is. */
export function suggestedName(deviceName: string | undefined, address: string): string {
  if (deviceName) return deviceName;
  try {
    return `Camera ${new URL(address).hostname}`;
  } catch {
    return "";
  }
}

/** Credentials in an address belong into their fields; returns the address without them. */
export function takeCredentials(address: string): { address: string; username: string; password: string } {
  const found = /^([a-z]+:\/\/)([^/?#]*)@(.*)$/i.exec(address.trim());
  if (!found) return { address: address.trim(), username: "", password: "" };
  const [, scheme = "", userinfo = "", rest = ""] = found;
  const [username = "", ...password] = userinfo.split(":");
  return {
    address: scheme + rest,
    username: decoded(username),
    password: decoded(password.join(":")),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
