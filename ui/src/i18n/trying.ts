/** Playing the rules before callers hear them, and speaking a greeting for them. */
export const trying = {
  'action.stopPreview': 'Stop',
  'action.pressInPreview': 'Press this key',
  'action.recordGreeting': 'Record',
  'action.stopGreeting': 'Stop',

  'preview.press': 'Press a key as the caller would',
  'preview.since': 'Playing for {time}. It ends by itself, after three minutes at most.',
  'preview.badTime': '“{text}” is no time of a day. Enter one from 0:00 to 23:59.',

  'why.previewTime': 'Correct the time first.',
  'why.notPlaying': 'Nothing is being played.',

  'greeting.record': 'Record…',
  'greeting.use': 'Use it',
  'greeting.close': 'Cancel',
  'greeting.recordAgain': 'Record again',
  'greeting.microphone': 'Microphone',
  'greeting.about': 'Up to a minute. Speak as you would on the telephone.',
  'greeting.opening': 'The microphone is being opened…',
  'greeting.time': '{time} of 1:00',
  'greeting.level': 'Level',
  'greeting.name': 'Name of the recording',
  'greeting.suggested': 'My greeting',
  'greeting.quiet':
    'Almost nothing was heard. Check the microphone, then record again, or choose another one.',

  'why.greetingCall': 'You are in a call, which has the microphone. Record when it is over.',
  'why.notRecording': 'Nothing is being recorded.',
} as const;
