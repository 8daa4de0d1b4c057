/** Who is signed in and what they may do. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { $api, api, setCsrfToken } from "@/api/client";
import type { Permission, SessionAnswer } from "@/api/schema";

export interface SessionState {
  /** Null: nobody is signed in. */
  session: SessionAnswer | null;
  isLoading: boolean;
  /** What the session could not be read for, other than that nobody is signed in. */
  error: unknown;
}

const SIGNED_OUT = new Set(["UNAUTHENTICATED", "SESSION_OVER", "TENANT_DISABLED", "TOKEN_NOT_VALID"]);
const OPTIONS = $api.queryOptions("get", "/session", {});

export function useSessionState(): SessionState {
  const client = useQueryClient();
  const query = $api.useQuery("get", "/session", {}, { retry: false, staleTime: 60_000 });
  const session = query.data ?? null;
  const token = session?.csrf_token;
  // Before any child can send a change.
  setCsrfToken(token);
  const isSignedOut = isUnauthenticated(query.error);
  useEffect(() => {
    if (isSignedOut) client.removeQueries({ predicate: (each) => each.queryKey[1] !== "/session" });
  }, [client, isSignedOut]);
  return {
    session: isSignedOut ? null : session,
    isLoading: query.isLoading,
    error: isSignedOut ? null : query.error,
  };
}

function isUnauthenticated(error: unknown): boolean {
  const code = (error as { error?: { code?: string } } | null)?.error?.code;
  return code !== undefined && SIGNED_OUT.has(code);
}

/** Inside the shell, where somebody is signed in. */
export function useSession(): SessionAnswer {
  const { session } = useSessionState();
  if (session === null) throw new Error("nobody is signed in");
  return session;
}

export function useMay(): (permission: Permission) => boolean {
  const { session } = useSessionState();
  return (permission) => session?.permissions.includes(permission) ?? false;
}

/** After signing in: the answer is the session. */
export function useBeginSession(): (session: SessionAnswer) => void {
  const client = useQueryClient();
  return (session) => {
    client.clear();
    setCsrfToken(session.csrf_token);
    client.setQueryData(OPTIONS.queryKey, session);
  };
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await api.DELETE("/session");
    setCsrfToken(null);
    client.clear();
    window.location.assign("/sign-in");
  };
}
