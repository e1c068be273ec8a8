import { t } from '../i18n';

/**
 * Why a call failed, as a sentence with the cure. Codes: the Voice SDK's `errors` module 2.18.5 and
 * Twilio's error dictionary.
 */
export function reasonFor(code: number): string {
  switch (code) {
    case 20101:
    case 20104:
    case 20151:
    case 31201:
    case 31202:
    case 31203:
    case 31204:
    case 31205:
    case 31207:
      return t('reason.signInRefused');
    case 31206:
      return t('reason.tooManyRequests');
    case 31002:
    case 31603:
      return t('reason.declined');
    case 31404:
      return t('reason.notInService');
    case 31480:
      return t('reason.unavailable');
    case 31486:
      return t('reason.busy');
    case 31401:
      return t('reason.microphoneForbidden');
    case 31402:
      return t('reason.microphoneMissing');
    case 31003:
    case 31005:
    case 31009:
    case 53000:
    case 53001:
      return t('reason.connectionLost');
    case 53400:
    case 53402:
      return t('reason.soundNotStarted');
    case 53405:
      return t('reason.soundLost');
    case 0:
    case 31000:
      return t('reason.unknown');
    default:
      return t('reason.code', { code });
  }
}
