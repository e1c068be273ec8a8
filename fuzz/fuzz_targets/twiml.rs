#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialer_fuzz::twiml::try_out(bytes));
