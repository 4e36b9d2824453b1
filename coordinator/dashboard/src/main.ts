import { mount } from 'svelte';
import App from './app.svelte';
import './style.css';

const place = document.getElementById('page');
if (place) {
  place.replaceChildren();
  mount(App, { target: place });
}
