import { afterEach } from 'vitest';
import { cleanup } from '@testing-library/svelte';

afterEach(() => {
  cleanup();
});

// Which jsdom lacks, because it lays nothing out; no condition on the window holds.
Element.prototype.scrollIntoView = () => undefined;
window.matchMedia = (media) => {
  const query = new EventTarget();
  return Object.assign(query, {
    media,
    matches: false,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
  }) as MediaQueryList;
};

// It plays nothing either.
let sounds = 0;
URL.createObjectURL = () => `blob:test/${(sounds += 1)}`;
URL.revokeObjectURL = () => undefined;
HTMLMediaElement.prototype.play = () => Promise.resolve();
HTMLMediaElement.prototype.pause = () => undefined;
