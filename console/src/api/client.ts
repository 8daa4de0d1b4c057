/**
 * The admin API, typed by its own document.
 *
 * 1. Every change carries the session's CSRF token; it lives in memory only.
 * 2. Who looks at another tenant (platform administrators) has `tenant` added to every request.
 * 3. An answer 401 tells `onSignedOut` once; the screen asks to sign in again and comes back.
 */
import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import type { paths } from "./schema";

export const PREFIX = "/api/admin/v1";

const shared = { csrfToken: "", tenant: "", onSignedOut: () => {} };

export function setCsrfToken(token: string | null | undefined): void {
  shared.csrfToken = token ?? "";
}

export function setTenant(tenant: string): void {
  shared.tenant = tenant;
}

export function onSignedOut(told: () => void): void {
  shared.onSignedOut = told;
}

/** The address of an answer that the browser fetches itself (a download). */
export function addressOf(path: string, query: Record<string, string | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, value);
  }
  if (shared.tenant && !search.has("tenant")) search.set("tenant", shared.tenant);
  return `${PREFIX}${path}?${search}`;
}

const middleware: Middleware = {
  onRequest({ request }) {
    if (shared.tenant) {
      const url = new URL(request.url);
      if (!url.searchParams.has("tenant")) {
        url.searchParams.set("tenant", shared.tenant);
        request = new Request(url, request);
      }
    }
    if (request.method !== "GET") request.headers.set("x-csrf-token", shared.csrfToken);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== "/session") shared.onSignedOut();
    return undefined;
  },
};

export const api = createFetchClient<paths>({ baseUrl: PREFIX, credentials: "same-origin" });
api.use(middleware);

/** TanStack Query over `api`: `$api.useQuery("get", "/keys", { params: { query } })`. */
export const $api = createQueryClient(api);
