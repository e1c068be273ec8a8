#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialer_fuzz::form::try_out(bytes));
