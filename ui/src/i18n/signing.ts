/** What Twilio signs its requests with. */
export const signing = {
  'action.useSharedKey': 'Use a key of its own',
  'action.replaceSharedKey': 'Replace the key',
  'action.useAuthToken': 'Go back to the Auth Token',

  'signing.title': 'How Twilio proves itself',
  'signing.about':
    'Twilio signs each request to this computer, and nothing unsigned is believed. At first it signs with your Auth Token, which can also do everything else in your account. It can sign with a key of this computer’s own instead, which is good for nothing else.',
  'signing.unknown':
    'Whether Twilio offers that for this account is not known yet. It is asked whenever the account is looked after.',
  'signing.notOffered':
    'Twilio does not offer that for this account: it is a public beta. The Auth Token goes on signing.',
  'signing.authToken': 'The Auth Token signs.',
  'signing.switchingOn':
    'Twilio is being told to sign with a key of this computer’s own. That takes up to a minute, in which both are good.',
  'signing.sharedKey':
    'A key of this computer’s own signs. What is signed with the Auth Token is refused.',
  'signing.replacing':
    'Another key takes the place of this one. That takes up to a minute, in which both keys are good, and the Auth Token is not.',
  'signing.switchingOff':
    'Twilio is being told to sign with the Auth Token again. That takes up to a minute, in which both are good.',
  'signing.temporary':
    'The public address of this computer is another one after each start. With a key of its own, calls come in up to a minute later then: Twilio first has to learn to sign for it.',

  'why.signingOff': 'A key of this computer’s own is not in use.',
  'why.notSettled': 'Wait until Twilio has learnt the last change.',
  'why.notOffered': 'Twilio does not offer that for this account.',
} as const;
