#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| converge_fuzz::images::read(input));
