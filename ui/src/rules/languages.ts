/**
 * Languages of Twilio's `<Say>` that every account has, as BCP 47 tags (Twilio, TwiML Voice: Say,
 * attribute `language`).
 */
export const LANGUAGES: readonly string[] = [
  'ca-ES',
  'da-DK',
  'de-DE',
  'en-AU',
  'en-CA',
  'en-GB',
  'en-IN',
  'en-US',
  'es-ES',
  'es-MX',
  'fi-FI',
  'fr-CA',
  'fr-FR',
  'it-IT',
  'ja-JP',
  'ko-KR',
  'nb-NO',
  'nl-NL',
  'pl-PL',
  'pt-BR',
  'pt-PT',
  'ru-RU',
  'sv-SE',
  'zh-CN',
  'zh-HK',
  'zh-TW',
];

const names = new Intl.DisplayNames(['en'], { type: 'language', languageDisplay: 'standard' });

/** `English (United Kingdom)`. */
export function languageName(tag: string): string {
  return names.of(tag) ?? tag;
}
