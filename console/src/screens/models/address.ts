/** Names have slashes, which stay as they are; what an address would take for something else is escaped. */
export function addressOfModel(name: string): string {
  return `/models/${name.split("/").map(encodeURIComponent).join("/")}`;
}
