import { fireEvent, screen } from '@testing-library/svelte';
import { Opened } from './opened';

/** The window of the test under way; `openAnew` before each one. */
export let opened: Opened;

export function openAnew(): void {
  window.sessionStorage.clear();
  opened = new Opened();
}

export const by = (testid: string): HTMLElement => screen.getByTestId(testid);
export const box = (testid: string): HTMLInputElement => screen.getByTestId(testid);
export const sent = (name: Parameters<Opened['program']['named']>[0]) => opened.program.named(name);

export async function click(testid: string): Promise<void> {
  await fireEvent.click(by(testid));
  await opened.settled();
}

export async function fill(testid: string, text: string): Promise<void> {
  await fireEvent.input(by(testid), { target: { value: text } });
}
