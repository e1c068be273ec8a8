import { isConnected, isLive } from '../phone/state';
import { actions, type ActionArguments, type ActionId } from './actions';
import { isForm, type ActionState } from './app';

/** What a key event tells, without the event. */
export interface KeyPress {
  key: string;
  ctrl: boolean;
  meta: boolean;
  shift: boolean;
  alt: boolean;
  /** The key is being held down and the computer repeats it. */
  repeat: boolean;
  /**
   * Where the focus is: a key means something else in the number field, in any other thing to fill
   * in, or on a button.
   */
  focus: 'field' | 'entry' | 'button' | 'elsewhere';
}

/** An action with its arguments. */
export type Command = {
  [Id in ActionId]: { id: Id; args: ActionArguments[Id] };
}[ActionId];

const DIGIT = /^[0-9*#]$/;

/** Reads `press` as an action; nothing when the key is not ours. */
export function commandFor(press: KeyPress, state: ActionState): Command | null {
  const command = commandOf(press, state);
  return press.repeat && command && !repeats(command, state) ? null : command;
}

/** Held down, a key may fill or empty the number field, and nothing else. */
function repeats({ id }: Command, { phone }: ActionState): boolean {
  return id === 'erase' || (id === 'press_key' && !isLive(phone));
}

function commandOf(press: KeyPress, state: ActionState): Command | null {
  const { key, ctrl, meta, shift, alt, focus } = press;
  if (alt) return null;
  if (ctrl || meta) {
    if (!shift) return null;
    const name = `mod+shift+${key.toLowerCase()}`;
    for (const id of [
      'answer',
      'decline',
      'hang_up',
      'toggle_mute',
      'toggle_keypad',
      'take_next',
    ] as const) {
      if (actions[id].keys.includes(name)) return { id, args: {} };
    }
    return null;
  }
  if (key === 'Escape') return { id: 'close', args: {} };
  if (state.asking || (state.overlay === 'keys' && key !== '?')) return null;
  // What is filled in on another page is not for the phone.
  if (focus === 'entry') return null;
  // In the field `?` is as useless as anywhere in a number, so it may mean the list there too.
  if (key === '?') return { id: 'toggle_overlay', args: { overlay: 'keys' } };
  if (key === 'Enter') {
    // On a button Enter presses that button.
    if (focus === 'button' || isLive(state.phone)) return null;
    return focus === 'field' || !isForm(state.page) ? { id: 'place_call', args: {} } : null;
  }
  if (isLive(state.phone)) {
    if (!DIGIT.test(key) || !isConnected(state.phone) || !state.keypadOpen) return null;
    return { id: 'press_key', args: { key } };
  }
  if (focus === 'field' || isForm(state.page)) return null;
  if (DIGIT.test(key) || key === '+') return { id: 'press_key', args: { key } };
  if (key === 'Backspace' && state.text !== '') return { id: 'erase', args: {} };
  return null;
}

/** A key as printed on the keyboard of this computer. */
export function keyLabel(name: string, mac: boolean): string {
  if (!name.includes('+'))
    return name === '?' ? name : name.charAt(0).toUpperCase() + name.slice(1);
  return name
    .split('+')
    .map((part) => {
      if (part === 'mod') return mac ? '⌘' : 'Ctrl';
      if (part === 'shift') return mac ? '⇧' : 'Shift';
      return part.toUpperCase();
    })
    .join(mac ? '' : '+');
}
