import { Navigate, Outlet, useLocation } from "react-router";
import { ErrorView } from "@/ui/ErrorView";
import { useSessionState } from "./session";

/** Lets in who is signed in; everybody else goes to the sign-in, and comes back. */
export function Gate() {
  const { session, isLoading, error } = useSessionState();
  const location = useLocation();
  if (session !== null) return <Outlet />;
  if (isLoading) return null;
  if (error) {
    return (
      <main className="lone">
        <ErrorView error={error} />
      </main>
    );
  }
  const next = `${location.pathname}${location.search}`;
  return <Navigate to={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`} replace />;
}
