// Starts the live page: takes a key out of the address bar before anything else can see it.
import '@picocss/pico/css/pico.min.css';
import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';

const key = new URLSearchParams(location.hash.slice(1)).get('key') ?? '';
if (key) history.replaceState(null, '', location.pathname + location.search);

mount(App, { target: document.getElementById('app')!, props: { key } });
