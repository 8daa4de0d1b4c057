/** By its name: "other" is certainly no glTF; a name that says nothing may be one. */
export function formatOf(url: string): "gltf" | "other" {
  try {
    const name = new URL(url).pathname.toLowerCase();
    return /\.(zip|obj|fbx|stl|usdz|ply|rar|7z)$/.test(name) ? "other" : "gltf";
  } catch {
    return "other";
  }
}
