/** Builds the dashboard into `dist`: files that the API serves, and nothing from elsewhere. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Whoever builds may have said otherwise, and would get React's slow half.
if (process.argv.includes('build')) process.env.NODE_ENV = 'production'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome125', 'firefox128', 'safari18'],
    cssTarget: ['chrome125', 'firefox128', 'safari18'],
    // The policy of the API lets no data: script or font in, and one inlined would be both.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { '/api': { target: process.env.DECNET_API_URL ?? 'http://127.0.0.1:8000' } } },
})
