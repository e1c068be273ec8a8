#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialer_fuzz::link::try_out(bytes));
