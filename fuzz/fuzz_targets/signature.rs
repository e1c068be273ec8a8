#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialer_fuzz::signature::try_out(bytes));
