import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** Each application is built on its own into the Python package that serves it: `vite build --mode race`. */
const applications: Record<string, { home: string; pages: string[] }> = {
  race: { home: '../../race_centre/static', pages: ['index', 'commentator', 'widget'] },
  manage: { home: '../../manage_centre/static', pages: ['index'] },
}

/** What a page looks like before its scripts: a file of its own, which the server puts into the first HTML. */
const FIRST = 'src/parts/first.css'
const WORTH_PACKING = 1024

/** Every file of text is also there as the server sends it: as good as it can be packed, once and not for each reader. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    async writeBundle({ dir }, files) {
      for (const file of Object.values(files)) {
        const data = Buffer.from(file.type === 'chunk' ? file.code : file.source)
        if (!/\.(js|css)$/.test(file.fileName) || data.length < WORTH_PACKING) continue
        await writeFile(resolve(dir!, `${file.fileName}.br`), brotliCompressSync(data))
        await writeFile(resolve(dir!, `${file.fileName}.gz`), gzipSync(data, { level: 9 }))
      }
    },
  }
}

export default defineConfig(({ mode }) => ({
  // MapLibre's build without scripts from blobs, which our content security policy does not let run.
  resolve: { alias: [{ find: /^maplibre-gl$/, replacement: 'maplibre-gl/dist/maplibre-gl-csp.js' }] },
  base: '/static/',
  plugins: [svelte(), packed()],
  build: {
    outDir: applications[mode]?.home,
    emptyOutDir: true,
    manifest: 'manifest.json',
    chunkSizeWarningLimit: 2000, // MapLibre and deck.gl, which are fetched after the page is there
    target: 'es2022',
    modulePreload: { polyfill: false },
    rollupOptions: { input: [FIRST, ...(applications[mode]?.pages ?? []).map((page) => `src/${mode}/${page}.ts`)] },
  },
}))
