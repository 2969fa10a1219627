// Builds the two pages of the console into dist/; serves nothing in production.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Moves `data:` images out of style sheets into files of their own: the content security policy allows only files. */
function imagesAsFiles(): Plugin {
  const dataImage = /url\((["']?)data:image\/(\w+)[^,;"']*(?:;charset=[\w-]+|;utf8)?(;base64)?,(.*?)\1\)/g;
  return {
    name: 'images-as-files',
    generateBundle(_, bundle) {
      for (const output of Object.values(bundle)) {
        if (output.type !== 'asset' || !output.fileName.endsWith('.css')) continue;
        output.source = output.source.toString().replace(dataImage, (_match, _quote, kind: string, base64, data: string) => {
          const image = base64 ? Buffer.from(data, 'base64') : Buffer.from(decodeURIComponent(data));
          const name = `icon-${createHash('sha256').update(image).digest('hex').slice(0, 8)}.${kind}`;
          this.emitFile({ type: 'asset', fileName: `assets/${name}`, source: image });
          return `url(${name})`;
        });
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), imagesAsFiles()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000, // the API browser comes as one bundle; it is loaded at /docs alone
    rolldownOptions: { input: { index: here('index.html'), docs: here('docs.html') } },
  },
  server: {
    // `npm run dev` beside a running `outbound up`.
    proxy: { '/v1': 'http://127.0.0.1:8077', '/openapi.json': 'http://127.0.0.1:8077' },
  },
});
