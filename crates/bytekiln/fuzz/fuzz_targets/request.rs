//! Bytes as what a build tool sends a worker, in both protocols. Each frame is a request or an error,
//! and takes no more memory than its bytes are worth.
#![no_main]

use bytekiln::worker::protocol::{Protocol, read_frame};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for protocol in [Protocol::Json, Protocol::Protobuf] {
        let mut reader = bytes;
        let mut frames = 0;
        while let Ok(Some(frame)) = read_frame(&mut reader, protocol) {
            assert!(frame.len() <= bytes.len());
            if let Ok(request) = protocol.parse(&frame) {
                let texts = request.arguments.iter().map(String::len).sum::<usize>();
                assert!(texts <= frame.len() && request.inputs.len() <= frame.len());
            }
            frames += 1;
            assert!(frames <= bytes.len());
        }
    }
});
