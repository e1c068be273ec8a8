/**
 * Stands in for the SDK's sounds. The page plays its own ring (`sound/`), which stops at once; the
 * SDK's would be fetched from outside, and while one cannot be loaded every incoming call is
 * announced two seconds late. Key tones in a call come from the SDK's own oscillators.
 */
export class NoSound {
  play(): Promise<void> {
    return Promise.resolve();
  }

  stop(): void {
    // Nothing plays.
  }

  setSinkIds(): Promise<void> {
    return Promise.resolve();
  }
}
