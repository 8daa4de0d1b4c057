/** The routes, made of the table of screens. */
import { lazy, Suspense } from "react";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { Boundary } from "./Boundary";
import { Gate } from "./Gate";
import { Shell } from "./Shell";
import { SCREENS } from "./screens";

const SignIn = lazy(() => import("@/screens/sign-in"));
const Setup = lazy(() => import("@/screens/setup"));
const NotFound = lazy(() => import("./NotFound"));
const screens = SCREENS.map((screen) => ({ path: screen.path, Component: lazy(screen.load) }));

export function Router() {
  return (
    <BrowserRouter>
      <Boundary>
        <Suspense fallback={null}>
          <Routes>
            <Route path="/sign-in" element={<SignIn />} />
            <Route path="/setup" element={<Setup />} />
            <Route element={<Gate />}>
              <Route element={<Shell />}>
                <Route index element={<Navigate to="/keys" replace />} />
                {screens.map(({ path, Component }) => (
                  <Route key={path} path={path} element={<Component />} />
                ))}
                <Route path="*" element={<NotFound />} />
              </Route>
            </Route>
          </Routes>
        </Suspense>
      </Boundary>
    </BrowserRouter>
  );
}
