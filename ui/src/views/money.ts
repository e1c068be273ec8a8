import type { Money } from '../host/bindings';
import { t } from '../i18n';

/** An amount, such as `$0.014`; small amounts keep the digits that make them up. */
export function moneyWords({ micros, currency }: Money): string {
  try {
    return new Intl.NumberFormat(undefined, {
      style: 'currency',
      currency,
      minimumFractionDigits: 2,
      maximumFractionDigits: micros < 100_000 ? 4 : 2,
    }).format(micros / 1e6);
  } catch {
    // A currency that this system does not know.
    return t('money.plain', { amount: (micros / 1e6).toFixed(2), currency });
  }
}
