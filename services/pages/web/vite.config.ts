import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

/** Each application is built on its own into the Python package that serves it: `vite build --mode race`. */
const applications: Record<string, { home: string; pages: string[] }> = {
  race: { home: '../../race_centre/static', pages: ['index', 'commentator', 'widget'] },
  manage: { home: '../../manage_centre/static', pages: ['index'] },
}

export default defineConfig(({ mode }) => ({
  // MapLibre's build without scripts from blobs, which our content security policy does not let run.
  resolve: { alias: [{ find: /^maplibre-gl$/, replacement: 'maplibre-gl/dist/maplibre-gl-csp.js' }] },
  base: '/static/',
  plugins: [svelte()],
  build: {
    outDir: applications[mode]?.home,
    emptyOutDir: true,
    manifest: 'manifest.json',
    chunkSizeWarningLimit: 2000, // MapLibre and deck.gl, which are fetched after the page is there
    target: 'es2022',
    modulePreload: { polyfill: false },
    rollupOptions: { input: applications[mode]?.pages.map((page) => `src/${mode}/${page}.ts`) },
  },
}))
