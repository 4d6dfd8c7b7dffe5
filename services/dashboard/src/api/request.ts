/** Requests to the gateway. Every failure is an {@link ApiError} whose message can be shown to people. */
import { type ApiError, errorFromBody } from "./errors";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const REQUEST_TIMEOUT_MS = 15_000;
let whenRefused: () => void = () => {};

/** Call *listener* whenever the gateway refuses a request for want of a session, or of the right password. */
export function onRefused(listener: () => void): void {
  whenRefused = listener;
}

export async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
  if (body instanceof FormData) init.body = body;
  else if (body instanceof Blob) {
    init.body = body;
    init.headers = { "Content-Type": body.type };
  } else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw errorFromBody(0, null);
  }
  const answer: unknown = response.status === 204 ? undefined : await response.json().catch(() => null);
  if (!response.ok) throw failed(response.status, answer, path);
  return answer as T;
}

function failed(status: number, body: unknown, path: string): ApiError {
  if (status === 401 && path !== "/api/session") whenRefused();
  return errorFromBody(status, body);
}

export type OnProgress = (share: number) => void;

/** Send a form; *onProgress* hears the share sent, 0 to 1. `fetch` cannot report it, hence XHR. */
export function upload<T>(path: string, form: FormData, onProgress: OnProgress): Promise<T> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open("POST", path);
    xhr.responseType = "json";
    xhr.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    xhr.onerror = () => reject(errorFromBody(0, null));
    xhr.onload = () => {
      if (xhr.status < 300) resolve(xhr.response as T);
      else reject(failed(xhr.status, xhr.response, xhr.responseURL));
    };
    xhr.send(form);
  });
}
