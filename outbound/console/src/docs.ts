// Starts the API browser on this server's own description; it asks nobody else for anything.
import 'swagger-ui-dist/swagger-ui.css';
import './colours.css';
import './docs.css';
import { mount } from 'svelte';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import Header from './parts/Header.svelte';

mount(Header, { target: document.getElementById('header')!, props: { page: 'docs' } });

// Swagger UI has its dark colours behind this class rather than the reader's preference.
const dark = matchMedia('(prefers-color-scheme: dark)');
const shade = (): boolean => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', shade);
shade();

// There is one server, this one. An operation's row is a button: links and buttons inside it could not be told apart by keyboard or screen reader.
const plainRows = (): object => ({
  components: {
    ServersContainer: () => null,
    DeepLink: ({ text }: { text: string }) => text,
    CopyToClipboardBtn: () => null,
    authorizeOperationBtn: () => null,
  },
});

SwaggerUI({
  plugins: [plainRows],
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  defaultModelRendering: 'model',
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  supportedSubmitMethods: ['get', 'post', 'put', 'patch', 'delete'],
  tryItOutEnabled: false,
  validatorUrl: null,
});
