import { render } from 'preact';
import { App } from './app.js';
import { followLinks } from './router.js';
import { start } from './session.js';

const root = document.getElementById('console');
if (root !== null) {
  followLinks();
  void start();
  render(<App />, root);
}
