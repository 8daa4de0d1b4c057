/** Pieces of this screen that others use: tenants' defaults have routes and limits too. */
export { QuotaBars } from "./QuotaBars";
export { QuotaEditor, type QuotaEditorProps } from "./QuotaEditor";
export { linesOf, type QuotaLine, quotasOf } from "./quota";
export { RouteEditor, type RouteEditorProps } from "./RouteEditor";
export { RouteShort, RouteSteps } from "./RouteSteps";
export { DEFAULT_ROUTE, type Route, tidyRoute, wholeRoute } from "./route";
