// The client's types, from the admin API's own document (`make console` writes it before this runs).
// Paths lose the prefix that all of them share; the client puts it back.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const PREFIX = "/api/admin/v1";
const told = JSON.parse(await readFile(new URL("../openapi.json", import.meta.url), "utf8"));
told.paths = Object.fromEntries(
  Object.entries(told.paths).map(([path, item]) => [path.slice(PREFIX.length), item]),
);
const tree = await openapiTS(told, { alphabetize: true, rootTypes: true, rootTypesNoSchemaPrefix: true });
await writeFile(new URL("../src/api/schema.d.ts", import.meta.url), astToString(tree));
