import type { PreviewLine } from '../../host/bindings';
import type { PlainKey } from '../../i18n';
import type { AnswerType, Case } from '../../rules/answers';

export const answerNames: Readonly<Record<AnswerType, PlainKey>> = {
  ring: 'answer.ring',
  forward: 'answer.forward',
  voicemail: 'answer.voicemail',
  menu: 'answer.menu',
  queue: 'answer.queue',
  message: 'answer.message',
  decline: 'answer.decline',
};

export const caseNames: Readonly<Record<Case, PlainKey>> = {
  open: 'case.open',
  no_answer: 'case.noAnswer',
  busy: 'case.busy',
  do_not_disturb: 'case.doNotDisturb',
  offline: 'case.offline',
  closed: 'case.closed',
  hidden_number: 'case.hidden',
};

export const dayNames: readonly PlainKey[] = [
  'day.monday',
  'day.tuesday',
  'day.wednesday',
  'day.thursday',
  'day.friday',
  'day.saturday',
  'day.sunday',
];

export const speakers: Readonly<Record<PreviewLine['who'], PlainKey>> = {
  heard: 'preview.heard',
  caller: 'preview.caller',
  agent: 'preview.agent',
  call: 'preview.call',
};
