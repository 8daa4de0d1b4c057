import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const OUT = fileURLToPath(new URL("../src/aimesh/console", import.meta.url));
const COMPRESSED = /\.(js|css|html|svg)$/;

/** Files are compressed once, here, and sent as they are: no answer costs the gateway a compression. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async closeBundle() {
      const files = await readdir(OUT, { recursive: true });
      for (const name of files.filter((each) => COMPRESSED.test(each))) {
        const path = join(OUT, name);
        const bytes = await readFile(path);
        await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9, memLevel: 9 }));
        await writeFile(`${path}.br`, brotliCompressSync(bytes));
      }
    },
  };
}

/**
 * What the frame and the first screens are made of, as one file: together it compresses a tenth better than in the
 * sixty pieces that sharing would make of it. What only later screens use is not here.
 */
const BASE = new RegExp(
  [
    "node_modules/(react|react-dom|scheduler|react-router|openapi-[a-z-]+|stylis|clsx)/",
    "node_modules/@ant-design/(cssinjs|cssinjs-utils|colors|fast-color)/",
    "node_modules/@rc-component/(util|motion|trigger|portal|resize-observer|menu|overflow|dropdown|dialog|notification|select|" +
      "virtual-list|input|table|pagination|checkbox|tooltip|context)/",
    "node_modules/antd/es/(theme|config-provider|version|button|layout|menu|dropdown|tooltip|" +
      "skeleton|app|message|notification|modal|select|table|pagination|checkbox|radio|spin|tree|empty)/",
  ].join("|"),
);

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1100,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: "base", test: BASE }],
        },
      },
    },
  },
  server: {
    // `make run` in one terminal, `npm run dev` in another.
    proxy: Object.fromEntries(
      ["/api", "/gateway"].map((path) => [
        path,
        // The host stays the page's: changes are taken from pages of the same site only.
        { target: process.env.AIMESH_URL ?? "http://127.0.0.1:8080", changeOrigin: false },
      ]),
    ),
  },
});
