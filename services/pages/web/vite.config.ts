import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

/** Each application is built on its own into the Python package that serves it: `vite build --mode race`. */
const homes: Record<string, string> = {
  race: '../../race_centre/static',
  manage: '../../manage_centre/static',
}

export default defineConfig(({ mode }) => ({
  base: '/static/',
  plugins: [svelte()],
  build: {
    outDir: homes[mode],
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: 'es2022',
    modulePreload: { polyfill: false },
    rollupOptions: { input: `src/${mode}/index.ts` },
  },
}))
