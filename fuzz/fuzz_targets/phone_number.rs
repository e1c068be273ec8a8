#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialer_fuzz::phone_number::try_out(bytes));
